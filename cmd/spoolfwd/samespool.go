package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/holder"
	"github.com/bitville-apm/spoolfwd/spool"
)

// Runs exclude each other by the lock of their breaker. Two breakers on one spool have two locks,
// so both would send every file. Each run therefore locks the spool besides, in a way that is
// closed to strangers: whoever holds that lock may send from this spool, under whatever name the
// program has.

// holdSpool locks the spool for a command that holds the lock of its breaker.
func (s *session) holdSpool(sp *spool.Spool) error {
	if sp.TryLock() {
		return nil
	}
	holders, _ := holder.Of(rejectedOf(sp))
	return s.sharedSpool(sp, holders)
}

// sharedSpool returns the error that another breaker's run uses the spool. Where the system does
// not tell who holds the lock (a container, the hardened unit), there are no holders.
func (s *session) sharedSpool(sp *spool.Spool, holders []holder.Process) error {
	by := "another process"
	if len(holders) > 0 {
		by = s.nameRun(holders[0])
	}
	err := fmt.Errorf("spool %s: it is in use by %s, which has another lock than the breaker %s", sp.Dir(), by, s.cfg.Breaker.Name)
	return exit.With(exit.Config, withHint(err, "give every run on this spool the same --name and --state-dir, or each breaker a spool of its own"))
}

func rejectedOf(sp *spool.Spool) string { return filepath.Join(sp.Dir(), spool.RejectedDir) }

// nameRun names a run by its breaker, if its lock is in the same state directory and signed.
func (s *session) nameRun(p holder.Process) string {
	locks, _ := filepath.Glob(filepath.Join(s.cfg.Breaker.StateDir, "*.lock"))
	for _, path := range locks {
		name := strings.TrimSuffix(filepath.Base(path), ".lock")
		if name != s.cfg.Breaker.Name && breaker.SignedBy(path).PID == p.PID {
			return fmt.Sprintf("process %d (breaker %s)", p.PID, name)
		}
	}
	return fmt.Sprintf("process %d", p.PID)
}

// examineSpool opens the spool for check, which takes no lock. The holder of the breaker's own lock
// is a run like the one that check stands for.
func (s *session) examineSpool() (*spool.Spool, error) {
	if err := s.notExamined(); err != nil {
		return nil, err
	}
	sp, err := s.openSpool()
	if err != nil {
		return nil, err
	}
	b, err := s.newBreaker()
	if err != nil {
		return sp, nil // check says it of the breaker
	}
	holders, _ := holder.Of(rejectedOf(sp))
	ours, _ := holder.Of(b.LockPath())
	holders = slices.DeleteFunc(holders, func(p holder.Process) bool { return slices.Contains(ours, p) })
	if len(holders) > 0 {
		return nil, errors.Join(s.sharedSpool(sp, holders), sp.Close())
	}
	return sp, nil
}
