package spool

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Remove removes a payload file all of whose items are delivered. A file that
// is gone already is no error. ErrChanged means that the entry is another file
// by now and was left in place; any other error means that the file is still
// there and must not be sent again.
func (s *Spool) Remove(p *Payload) error {
	if err := s.Unchanged(p); err != nil {
		if errors.Is(err, ErrVanished) {
			return nil
		}
		return err
	}
	err := again(func() error { return unix.Unlinkat(s.fd, p.Name, 0) })
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%s: remove: %w", s.path(p.Name), err)
	}
	return nil
}

// Unchanged is the last look before a destructive step: the entry must still be
// the very file that was read, or it is ErrVanished or ErrChanged. What changes
// between this look and the step itself, microseconds later, cannot be seen with
// Unix file names.
func (s *Spool) Unchanged(p *Payload) error {
	var st unix.Stat_t
	err := statAt(s.fd, p.Name, &st)
	switch {
	case errors.Is(err, unix.ENOENT):
		return ErrVanished
	case err != nil:
		return fmt.Errorf("%s: stat: %w", s.path(p.Name), err)
	case identify(&st) != p.id:
		return ErrChanged
	}
	return nil
}

// Preflight proves that files can be removed from the spool, by creating one
// and removing it: what is delivered and stays would be delivered for ever. A
// full disk proves nothing against it, since removing needs no room and is what
// frees the disk.
func (s *Spool) Preflight() error {
	if appendOnly(s.fd) { // every run would leave behind what it could not remove
		return s.preflightError(fmt.Errorf("it is append-only: %w", unix.EPERM))
	}
	fd, name, err := createTemp(s.fd, TempPrefix, 0o600)
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT): // ask for what cannot be tried
		err = unix.Faccessat(s.fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	case err == nil:
		unix.Close(fd)
		err = again(func() error { return unix.Unlinkat(s.fd, name, 0) })
	}
	if err != nil {
		return s.preflightError(err)
	}
	return nil
}

func (s *Spool) preflightError(err error) error {
	hint := "nothing was sent; see spoolfwd check"
	switch {
	case errors.Is(err, unix.EACCES):
		hint = "nothing was sent; run as the user who owns the spool"
	case errors.Is(err, unix.EPERM): // not a matter of users: one's own file can be removed even from a sticky directory
		hint = "nothing was sent; lsattr -d shows whether the directory is immutable or append-only"
	}
	return fmt.Errorf("spool %s: files cannot be removed from it: %w\n%s", s.cfg.Dir, err, hint)
}
