package spool

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Remove removes a payload file all of whose items are delivered. It is not an error when the file
// is gone already. ErrChanged means that the entry is another file by now and was left in place;
// any other error means that the file is still there and must not be sent again.
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

// Unchanged is the last look before a destructive step: the entry must still be the very file that
// was read. Otherwise the error is ErrVanished or ErrChanged. A change between this look and the
// step itself, microseconds later, cannot be seen with Unix file names.
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
