package spool

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// PutConfig bounds what Put adds to a spool.
type PutConfig struct {
	// Refuse when the spool would hold more; 0 means no limit. Each Put reads the directory, and
	// with MaxSpoolBytes examines every payload file in it.
	MaxSpoolBytes int64
	MaxSpoolFiles int

	Prefix string // begins the names of payload files; default "put"

	// Mode of the new file, whatever the umask. The default is 0600, or 0640 in a directory with
	// the set-group-ID bit: it gives its group to new files for a reader that is not their owner.
	Mode uint32
}

// Put is the safe producer: it spools one payload and returns the name of its file, which is unique
// and sorts by time. Without an error the payload is on the disk and survives a power cut; with an
// error the spool is as it was before. Whenever a run looks, the payload is there whole or not at
// all.
//
// The error wraps ErrFull or ErrInvalid, or is a fault of this machine. Put needs no lock. Any
// number of processes may call it at once; together they may then exceed the limits by what they
// put at the same moment.
func (s *Spool) Put(cfg PutConfig, now time.Time, r io.Reader) (name string, err error) {
	data, err := io.ReadAll(io.LimitReader(r, s.cfg.MaxFileSize+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read the payload: %w", err)
	case len(data) == 0:
		return "", fmt.Errorf("%w: it %w", ErrInvalid, errEmpty)
	case int64(len(data)) > s.cfg.MaxFileSize:
		return "", fmt.Errorf("%w: it %w", ErrInvalid, &TooLargeError{Max: s.cfg.MaxFileSize})
	}
	if !s.cfg.Raw {
		if err := checkJSON(data); err != nil {
			return "", fmt.Errorf("%w: it %w", ErrInvalid, err)
		}
	}
	if err := s.room(cfg, int64(len(data))); err != nil {
		return "", err
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "put"
	}
	switch {
	case cfg.Mode != 0:
	case s.mode&unix.S_ISGID != 0:
		cfg.Mode = 0o640
	default:
		cfg.Mode = 0o600
	}
	if strings.Contains(cfg.Prefix, "/") {
		return "", fmt.Errorf("%w: its name cannot begin with %q", ErrInvalid, cfg.Prefix)
	}
	var random [4]byte
	rand.Read(random[:])
	name = fmt.Sprintf("%s_%s_%s.json", cfg.Prefix, now.UTC().Format("20060102T150405.000000000Z"), hex.EncodeToString(random[:]))
	if !s.isPayload(name) {
		return "", fmt.Errorf("%w: its name %s would not match the pattern %s", ErrInvalid, name, s.cfg.Pattern)
	}

	// tmp, fsync, rename, fsync of the directory: each step makes the next one safe. maildir(5) and
	// every mail queue do the same.
	temp, err := writeTemp(s.fd, putPrefix, 0o600, inOnePiece(data), func(fd int, _ string) {
		_ = unix.Fchmod(fd, cfg.Mode) // whatever the umask is, since a reader depends on it
	})
	if err != nil {
		return "", fmt.Errorf("spool %s: put: %w", s.cfg.Dir, err)
	}
	if err := renameNew(s.fd, temp, s.fd, name); err != nil {
		unix.Unlinkat(s.fd, temp, 0)
		return "", fmt.Errorf("%s: put: %w", s.path(name), err)
	}
	if err := s.Sync(); err != nil {
		// Whether the name survives a power cut is unknown. The caller must not rely on it, and
		// must not spool the payload twice either.
		unix.Unlinkat(s.fd, name, 0)
		return "", err
	}
	return name, nil
}

// room refuses a payload that the limits leave no room for.
func (s *Spool) room(cfg PutConfig, size int64) error {
	maxFiles, maxBytes := -1, int64(-1) // that may be there already
	if cfg.MaxSpoolFiles > 0 {
		maxFiles = cfg.MaxSpoolFiles
	}
	if cfg.MaxSpoolBytes > 0 {
		if maxBytes = cfg.MaxSpoolBytes - size; maxBytes < 0 {
			return fmt.Errorf("spool %s: %w: the payload has %d bytes and the limit is %d", s.cfg.Dir, ErrFull, size, cfg.MaxSpoolBytes)
		}
	}
	if maxFiles < 0 && maxBytes < 0 {
		return nil
	}
	found, err := s.count(maxFiles, maxBytes)
	switch {
	case err != nil:
		return err
	case maxFiles >= 0 && found.files >= maxFiles:
		return fmt.Errorf("spool %s: %w: it holds %d payload files and the limit is %d", s.cfg.Dir, ErrFull, found.files, maxFiles)
	case maxBytes >= 0 && found.bytes > maxBytes:
		return fmt.Errorf("spool %s: %w: it holds %d bytes or more and the limit is %d", s.cfg.Dir, ErrFull, found.bytes, cfg.MaxSpoolBytes)
	}
	return nil
}
