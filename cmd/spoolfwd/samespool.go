package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/holder"
	"github.com/bitville-apm/spoolfwd/spool"
)

// Runs exclude each other by the lock of their breaker. Two breakers on one spool have two locks,
// so both would send every file. Each run therefore locks the spool directory besides.
//
// Anybody who can open the directory can hold that lock, and must not stop deliveries by it. So it
// only counts against a process that is spoolfwd, run by root, by the spool's owner or by the user
// of this run. Where the system does not tell who the holder is (a container, the hardened unit),
// the lock counts if others cannot open the directory. Otherwise the run goes on without it.

// holdSpool locks the spool for a command that holds the lock of its breaker.
func (s *session) holdSpool(sp *spool.Spool) error {
	if sp.TryLock() {
		return nil
	}
	holders := holder.Of(sp.Dir())
	if len(holders) == 0 && sp.Private() {
		return s.sharedSpool(sp, "another process")
	}
	return s.otherRun(sp, holders)
}

// otherRun returns the error that one of the holders is a run of another breaker, or nil.
func (s *session) otherRun(sp *spool.Spool, holders []holder.Process) error {
	for _, p := range holders {
		if p.Command == holder.Command() && isTrusted(p, sp.Owner(), os.Geteuid()) {
			return s.sharedSpool(sp, s.nameRun(p))
		}
	}
	return nil
}

func (s *session) sharedSpool(sp *spool.Spool, by string) error {
	err := fmt.Errorf("spool %s: it is in use by %s, which has another lock than the breaker %s", sp.Dir(), by, s.cfg.Breaker.Name)
	return exit.With(exit.Config, withHint(err, "give every run on this spool the same --name and --state-dir, or each breaker a spool of its own"))
}

// isTrusted reports whether a process has no rights but those of root and of the users.
func isTrusted(p holder.Process, users ...int) bool {
	foreign := func(uid int) bool { return uid != 0 && !slices.Contains(users, uid) }
	return len(p.UIDs) > 0 && !slices.ContainsFunc(p.UIDs, foreign)
}

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
	sp, err := s.openSpool()
	if err != nil {
		return nil, err
	}
	b, err := s.newBreaker()
	if err != nil {
		return sp, nil // check says it of the breaker
	}
	holders := slices.DeleteFunc(holder.Of(sp.Dir()), func(p holder.Process) bool {
		same := func(ours holder.Process) bool { return ours.PID == p.PID }
		return slices.ContainsFunc(holder.Of(b.LockPath()), same)
	})
	if err := s.otherRun(sp, holders); err != nil {
		return nil, errors.Join(err, sp.Close())
	}
	return sp, nil
}
