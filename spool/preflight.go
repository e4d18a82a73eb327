package spool

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Preflight proves that files can be removed from the spool by creating one and removing it. A file
// that is delivered and cannot be removed would be delivered for ever. A full disk is not an
// obstacle: removing needs no room, and it is what frees the disk.
func (s *Spool) Preflight() error {
	if appendOnly(s.fd) { // every run would leave its file behind
		return &PreflightError{s.cfg.Dir, fmt.Errorf("it is append-only: %w", unix.EPERM)}
	}
	fd, name, err := createTemp(s.fd, TempPrefix, 0o600)
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT): // ask, since it cannot be tried
		err = unix.Faccessat(s.fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	case err == nil:
		unix.Close(fd)
		err = again(func() error { return unix.Unlinkat(s.fd, name, 0) })
	}
	if err != nil {
		return &PreflightError{s.cfg.Dir, err}
	}
	return nil
}
