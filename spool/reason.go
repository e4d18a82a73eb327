package spool

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
)

// reasonSuffix ends the name of a note: <name of the rejected payload>.reason.json.
const reasonSuffix = ".reason.json"

// A Reason is the note beside a rejected payload. It says why the payload was rejected.
type Reason struct {
	// File is the payload file's name in the spool, as [EncodeName] writes it.
	File string `json:"file"`
	// Item is the item's number in an array file, from 1; 0 for a whole file.
	Item int `json:"item,omitempty"`
	// Key is the idempotency key that the payload was sent under, or would have been. Reject and
	// RejectItem set it. A file that was refused unread has none.
	Key      string    `json:"idempotency_key,omitempty"`
	Time     time.Time `json:"time"`
	Attempts int       `json:"attempts"`
	// First is the time of the first failed attempt, when there were several.
	First *time.Time `json:"first_attempt,omitempty"`
	// Status is the HTTP status of the last answer, 0 when there was none.
	Status int    `json:"status,omitempty"`
	Answer string `json:"answer,omitempty"` // its first 2 KiB
	Error  string `json:"error"`
}

// writeReason writes the note of a payload in rejected/, in the place of any older one.
func (s *Spool) writeReason(dir int, name string, r Reason) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return s.replace(dir, name+reasonSuffix, append(statefile.EscapeJSON(data), '\n'))
}

// replace writes a small file of the program's own, whole or not at all. Its temporary is made in
// the spool, where the next scan finds what a crash leaves behind.
func (s *Spool) replace(dir int, name string, data []byte) error {
	temp, err := writeTemp(s.fd, TempPrefix, 0o600, inOnePiece(data), func(int, string) {})
	if err != nil {
		return err
	}
	if err := again(func() error { return unix.Renameat(s.fd, temp, dir, name) }); err != nil {
		unix.Unlinkat(s.fd, temp, 0)
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// maxSmall bounds a small file. A reason's answer is cut at 2 KiB.
const maxSmall = 64 << 10

// readSmall reads a small file, and no more of one that has grown large.
func readSmall(dir int, name string) ([]byte, error) {
	f, err := openRegular(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSmall))
}

// readReason returns the note of a payload, or nil when it is missing or damaged.
func readReason(dir int, name string) *Reason {
	data, err := readSmall(dir, name+reasonSuffix)
	var r Reason
	if err != nil || json.Unmarshal(data, &r) != nil {
		return nil
	}
	return &r
}
