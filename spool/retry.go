package spool

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Retry puts a rejected payload back into the spool, to be sent again under the
// idempotency key it had, and returns the name it has there: its old one where
// that is free, else one that carries the key. Nothing is ever overwritten.
func (s *Spool) Retry(r Rejected) (string, error) {
	dir, err := s.openRejected(false)
	if err != nil {
		return "", err
	}
	defer unix.Close(dir)
	for _, name := range s.retryNames(r) {
		err := renameNew(dir, r.Name, s.fd, name)
		switch {
		case errors.Is(err, unix.EEXIST):
			continue
		case errors.Is(err, unix.ENOENT):
			return "", fmt.Errorf("%s/%s: %w", s.path(RejectedDir), r.Name, ErrVanished)
		case err != nil:
			return "", fmt.Errorf("%s/%s: put back: %w", s.path(RejectedDir), r.Name, err)
		}
		// The reason goes last, when the payload is back for good: it knows the
		// name and the key that the payload had.
		if err := s.syncRejected(dir); err != nil {
			return name, err
		}
		unix.Unlinkat(dir, r.Name+reasonSuffix, 0)
		return name, nil
	}
	return "", fmt.Errorf("%s/%s: no free name for it in the spool matches the pattern %s", s.path(RejectedDir), r.Name, s.cfg.Pattern)
}

// retryNames are the names that a rejected payload may have in the spool, best
// first.
func (s *Spool) retryNames(r Rejected) []string {
	base := r.Name
	if r.Reason != nil && r.Reason.Item == 0 && r.Reason.File != "" {
		base = DecodeName(r.Reason.File) // a whole file: its name makes its key
	}
	candidates := []string{base}
	if _, _, _, keyed := cutKey(base); !keyed && r.Reason != nil && len(r.Reason.Key) == keyDigits {
		base = fitName(withKey(base, r.Reason.Key))
		candidates = append(candidates, base)
	}
	for n := 2; n < 100; n++ {
		candidates = append(candidates, fitName(numbered(base, n)))
	}
	return slices.DeleteFunc(candidates, func(name string) bool {
		return strings.Contains(name, "/") || len(name) > maxName || !s.isPayload(name)
	})
}

// RemoveRejected deletes a rejected payload and its reason, because the operator
// asked for it.
func (s *Spool) RemoveRejected(r Rejected) error {
	dir, err := s.openRejected(false)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	// The payload first: a reason without a payload is debris, a payload without
	// its reason is a riddle.
	for _, name := range []string{r.Name, r.Name + reasonSuffix} {
		err := again(func() error { return unix.Unlinkat(dir, name, 0) })
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("%s/%s: remove: %w", s.path(RejectedDir), name, err)
		}
	}
	return nil
}

// OpenRejected opens a rejected payload for reading.
func (s *Spool) OpenRejected(r Rejected) (*os.File, error) {
	dir, err := s.openRejected(false)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	f, err := openRegular(dir, r.Name)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: open: %w", s.path(RejectedDir), r.Name, err)
	}
	return f, nil
}
