package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
)

// newBreaker returns the configured breaker, not yet loaded.
func (s *session) newBreaker() (*breaker.Breaker, error) {
	cfg := s.cfg.Breaker
	cfg.HostID = s.hostID()
	b, err := breaker.New(cfg)
	return b, exit.With(exit.Config, err)
}

// holdLock takes the lock, for commands that change what a run changes. The breaker is not loaded.
func (s *session) holdLock() (*breaker.Breaker, *breaker.Lock, error) {
	b, err := s.newBreaker()
	if err != nil {
		return nil, nil, err
	}
	if err := s.canUseStateDir(); err != nil {
		return nil, nil, err
	}
	if err := s.makeStateDir(); err != nil {
		return nil, nil, err
	}
	lock, err := takeLock(b.LockPath())
	return b, lock, err
}

// makeStateDir creates the state directory if it is missing. The mode is 0755, since other programs
// may read the breaker's state. Another user may have been faster where everybody can make one.
func (s *session) makeStateDir() error {
	err := os.MkdirAll(s.cfg.Breaker.StateDir, 0o755)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return notStateDir(err)
	case err != nil:
		return fmt.Errorf("cannot create the state directory: %w", err)
	}
	return s.checkStateDir()
}

// findStateDir judges the state directory for commands that only read. One that is missing is as
// good as an empty one.
func (s *session) findStateDir() error {
	dir := s.cfg.Breaker.StateDir
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return notStateDir(&os.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR})
	}
	return nil
}

func notStateDir(err error) error {
	return exit.With(exit.Config, withHint(fmt.Errorf("state directory: %w", err), "name a directory with --state-dir"))
}

// holdBreaker takes the lock and then loads the breaker, for commands that change it. The lock
// comes first: its holder could otherwise change the state after it was loaded.
func (s *session) holdBreaker() (*breaker.Breaker, *breaker.Lock, error) {
	b, lock, err := s.holdLock()
	if err != nil {
		return nil, nil, err
	}
	s.warn(b.Open(s.env.Now()))
	return b, lock, nil
}

func (s *session) warn(err error) { logError(s.log, slog.LevelWarn, err) }

// openSpool opens the spool directory.
func (s *session) openSpool() (*spool.Spool, error) {
	cfg := s.cfg.Spool
	cfg.HostID = s.hostID()
	sp, err := spool.Open(cfg)
	return sp, notOpened(err)
}

// notOpened gives the error of opening the spool its code.
func notOpened(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return exit.With(exit.Config, err)
	}
	return err
}
