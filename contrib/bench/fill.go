//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A payload is a JSON object that begins with its number, in numberDigits digits.
const (
	payloadStart = `{"n":"`
	numberAt     = len(payloadStart)
	numberDigits = 10
	payloadRest  = `","url":"/checkout","text":"`
	payloadEnd   = `"}`
	minPayload   = numberAt + numberDigits + len(payloadRest) + len(payloadEnd)
)

// fill puts n payload files into the spool, the oldest first, a thousand a second. They are named
// as the PHP producers name theirs: the names tell the age to the second only, and the file system
// keeps them in an order of its own.
func (b *bench) fill(n int) error {
	return b.fillWith(n, func(body []byte, i int) []byte { return appendPayload(body, i, b.size) })
}

// fillArrays is fill with array files of so many items each, of size bytes.
func (b *bench) fillArrays(n, items, size int) error {
	return b.fillWith(n, func(body []byte, i int) []byte {
		for item := range items {
			body = appendPayload(append(body, ','), i*items+item, size)
		}
		body[0] = '['
		return append(body, ']')
	})
}

func appendPayload(body []byte, number, size int) []byte {
	body = fmt.Appendf(body, "%s%0*d%s", payloadStart, numberDigits, number, payloadRest)
	const text = "App Controller Order index SELECT * FROM orders WHERE id = 42; "
	for left := size - minPayload; left > 0; left -= len(text) {
		body = append(body, text[:min(left, len(text))]...)
	}
	return append(body, payloadEnd...)
}

func (b *bench) fillWith(n int, appendFile func(body []byte, i int) []byte) error {
	dir, err := unix.Open(b.spool, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	random := rand.New(rand.NewPCG(uint64(n), 0)) // the same names for every contender
	start := time.Unix(1_700_000_000, 0)
	var name, body []byte
	for i := range n {
		written := start.Add(time.Duration(i) * time.Millisecond)
		name = written.AppendFormat(name[:0], "profile_20060102_150405_")
		name = fmt.Appendf(name, "%08x.json", random.Uint32())
		body = appendFile(body[:0], i)
		age := unix.NsecToTimespec(written.UnixNano())
		if err := create(dir, string(name), body, []unix.Timespec{age, age}); err != nil {
			return fmt.Errorf("filling the spool: %w", err)
		}
	}
	return b.syncDisk()
}

func create(dir int, name string, body []byte, times []unix.Timespec) error {
	fd, err := unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, body); err != nil {
		return err
	}
	return unix.UtimesNanoAt(dir, name, times, 0)
}

// list returns the spool's files and a descriptor of the spool.
func (b *bench) list() ([]os.DirEntry, int, error) {
	entries, err := os.ReadDir(b.spool)
	if err != nil {
		return nil, -1, err
	}
	dir, err := unix.Open(b.spool, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return entries, dir, err
}

func (b *bench) expectEmpty() error {
	left, err := b.left()
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%d files are left in the spool, %s for one", len(left), left[0].Name())
	}
	return err
}

// left returns what a run has left in the spool, but for an empty directory of rejected payloads,
// which every run makes, and which is removed here.
func (b *bench) left() ([]os.DirEntry, error) {
	_ = os.Remove(filepath.Join(b.spool, "rejected"))
	return os.ReadDir(b.spool)
}
