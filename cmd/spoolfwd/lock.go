package main

import (
	"errors"
	"fmt"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/breaker/statefile"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// takeLock takes a lock and words what is in the way.
func takeLock(path string) (*breaker.Lock, error) {
	lock, err := breaker.TakeLock(path)
	switch {
	case isHeld(err):
		err = exit.With(exit.Busy, fmt.Errorf("another spoolfwd is running: %w", err))
	case errors.As(err, new(*breaker.HeldError)):
		err = exit.With(exit.Busy, withHint(err, "another spoolfwd is running without a lock file, or another program has locked the directory: lslocks names it"))
	case errors.Is(err, statefile.ErrNotRegular):
		err = exit.With(exit.Config, withHint(err, "remove what is there; a lock is never taken through a link"))
	case errors.Is(err, breaker.ErrReplaced):
		err = exit.With(exit.IO, withHint(err, "something deletes it; exclude it from cleaning"))
	}
	return lock, err
}

// isHeld reports whether another run holds the lock. A lock on the directory is another matter:
// anybody who can read the directory can hold it, so nobody should wait for its end in silence.
func isHeld(err error) bool {
	var held *breaker.HeldError
	return errors.As(err, &held) && !held.Directory
}
