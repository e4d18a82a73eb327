package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/breaker/statefile"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/holder"
)

// takeLock takes a lock and words what is in the way.
func takeLock(path string) (*breaker.Lock, error) {
	lock, err := breaker.TakeLock(path)
	switch {
	case isHeld(err):
		err = exit.With(exit.Busy, fmt.Errorf("another spoolfwd is running: %w", err))
	case errors.As(err, new(*breaker.HeldError)):
		err = exit.With(exit.Busy, withHint(err, "another spoolfwd is running without a lock file, or another program has locked the directory: lslocks names it"))
	case errors.Is(err, fs.ErrPermission):
		// The lock and its directory may be another user's by mistake. What is above them may not.
		denies, st, errStat := nearest(path)
		if errStat == nil && int(st.Uid) != os.Geteuid() && (denies == path || denies == filepath.Dir(path)) {
			err = withHint(err, fmt.Sprintf("chown %s %s", accountOf(os.Geteuid(), 0).word(), denies))
		}
	case errors.Is(err, statefile.ErrNotRegular):
		err = exit.With(exit.Config, withHint(err, "remove what is there; a lock is never taken through a link"))
	case errors.Is(err, breaker.ErrReplaced):
		err = exit.With(exit.IO, withHint(err, "something deletes it; exclude it from cleaning"))
	}
	return lock, err
}

// longHeld is how long a run may hold the lock before other runs speak of it.
const longHeld = time.Hour

// lockHolder is the process that holds the lock.
type lockHolder struct {
	PID     int       `json:"pid"`            // 0 when it is not known
	Command string    `json:"command"`        // "" when it is not known
	Since   time.Time `json:"since,omitzero"` // at the latest
}

func (h *lockHolder) String() string {
	switch {
	case h.PID == 0:
		return "a process that did not sign"
	case h.Command == "":
		return fmt.Sprintf("process %d", h.PID)
	}
	return fmt.Sprintf("process %d (%s)", h.PID, h.Command)
}

// whoHolds returns who holds the lock, or nil if nobody does or nobody knows. A holder that takes
// time signs the lock, which says since when. A holder that has not signed is a run that has just
// begun, or another program: it holds the lock since an earlier run has found it so, or since
// nobody knows when.
func whoHolds(path string) *lockHolder {
	signed := breaker.SignedBy(path)
	found := signed.PID == 0 && !signed.Since.IsZero()
	holders, known := holder.Of(path)
	for _, p := range holders {
		if p.PID == signed.PID || found {
			return &lockHolder{p.PID, p.Command, signed.Since}
		}
	}
	switch {
	case len(holders) > 0:
		return &lockHolder{PID: holders[0].PID, Command: holders[0].Command}
	case !known && found:
		return &lockHolder{Since: signed.Since}
	}
	return nil
}

// heldForLong returns what to say when a run finds the lock held, or nil when that is nothing
// unusual.
func (s *session) heldForLong(err error) error {
	var held *breaker.HeldError
	if !errors.As(err, &held) {
		return nil
	}
	who := whoHolds(held.Path)
	if who == nil { // /proc does not tell, as under the hardened unit; that the lock is held is certain
		who = &lockHolder{PID: held.PID, Since: held.Since}
	}
	if who.Since.IsZero() {
		who.Since = breaker.FoundHeld(held.Path, s.env.Now())
	}
	return s.judgeHolder(held.Path, who)
}

// examineLock says for check, which does not try the lock, what a run would say of a lock held.
func (s *session) examineLock(path string) error {
	return s.judgeHolder(path, whoHolds(path))
}

// judgeHolder complains of a process that has held the lock for long. cron-run knows these words.
func (s *session) judgeHolder(path string, who *lockHolder) error {
	if who == nil || who.Since.IsZero() || s.env.Now().Sub(who.Since) < longHeld {
		return nil
	}
	return withHint(fmt.Errorf("%s has been locked for more than an hour, by %s since %s", path, who, who.Since.Format(time.DateTime)),
		"nothing is sent until that process ends, or a child that it left the lock to: fuser -v names both")
}

// isHeld reports whether another run holds the lock. A lock on the directory is another matter:
// anybody who can read the directory can hold it, so nobody should wait for its end in silence.
func isHeld(err error) bool {
	var held *breaker.HeldError
	return errors.As(err, &held) && !held.Directory
}
