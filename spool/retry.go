package spool

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"golang.org/x/sys/unix"
)

// Retried says where a rejected payload went.
type Retried struct {
	Name string // in rejected/
	As   string // in the spool; "" when Err says why it is still in rejected/
	Err  error  // ErrVanished: it is in neither
}

// Retry puts rejected payloads back into the spool, to be sent again under the idempotency keys
// they had. Each gets its old name where that is free, otherwise one that carries the key. Nothing
// is ever overwritten. The error says that what was put back may not survive a power cut.
func (s *Spool) Retry(list ...Rejected) ([]Retried, error) {
	dir, err := s.openRejected(false)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	done := make([]Retried, 0, len(list))
	for _, r := range list {
		as, err := s.putBack(dir, r.Name, readReason(dir, r.Name))
		done = append(done, Retried{r.Name, as, err})
	}
	// The reasons go last, when the payloads are back for good: they know the names and the keys
	// that the payloads had.
	if err := s.syncRejected(dir); err != nil {
		return done, err
	}
	for _, r := range done {
		if r.Err == nil {
			unix.Unlinkat(dir, r.Name+reasonSuffix, 0)
		}
	}
	return done, nil
}

// putBack moves a payload from a directory into the spool, under the first free name.
func (s *Spool) putBack(dir int, name string, reason *Reason) (as string, err error) {
	for candidate := range s.retryNames(name, reason) {
		err := renameNew(dir, name, s.fd, candidate)
		switch {
		case err == nil:
			return candidate, nil
		case errors.Is(err, unix.EEXIST):
			continue
		case errors.Is(err, unix.ENOENT):
			err = ErrVanished
		}
		return "", s.rejectedFault(name, "put back", err)
	}
	return "", fmt.Errorf("%s/%s: no free name for it in the spool matches the pattern %s", s.path(RejectedDir), name, s.cfg.Pattern)
}

// retryNames are the names that a rejected payload may have in the spool, best first.
func (s *Spool) retryNames(name string, reason *Reason) iter.Seq[string] {
	return func(yield func(string) bool) {
		offer := func(name string) bool {
			refused := strings.Contains(name, "/") || len(name) > maxName || !s.isPayload(name)
			return refused || yield(name)
		}
		base := name
		if reason != nil && reason.Item == 0 && reason.File != "" {
			base = DecodeName(reason.File) // a whole file: its name makes its key
		}
		if !offer(base) {
			return
		}
		if reason != nil && len(reason.Key) == keyDigits && !isKeyed(base) {
			if base = fitName(withKey(base, reason.Key)); !offer(base) {
				return
			}
		}
		for n := 2; n < 100; n++ {
			if !offer(fitName(numbered(base, n))) {
				return
			}
		}
	}
}
