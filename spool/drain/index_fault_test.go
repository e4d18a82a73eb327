package drain_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// alwaysClosed is a breaker with nothing to save.
type alwaysClosed struct{}

func (alwaysClosed) Available(time.Time) bool                     { return true }
func (alwaysClosed) Failures() int                                { return 0 }
func (alwaysClosed) FailureThreshold() int                        { return 5 }
func (alwaysClosed) RecordSuccess(time.Time) error                { return nil }
func (alwaysClosed) RecordFailure(time.Time, time.Duration) error { return nil }

// A person who runs as the wrong user must be told so, and not that the disk is broken.
func TestAnIndexThatMayNotBeWrittenIsAPermissionError(t *testing.T) {
	w := newWorld(t)
	w.writeMany("bad", 1, time.Hour)
	w.writeMany("good", 1, 0)
	w.listener.answer = poison
	s, err := spool.Open(spool.Config{Dir: w.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	index, err := drain.OpenIndex(filepath.Join(w.stateDir, "central_listener.index"))
	if err != nil {
		t.Fatal(err)
	}
	if err := need.SetImmutable(w.stateDir, true); err != nil {
		need.Refused(t, "this file system or user cannot make a directory immutable: %v", err)
	}
	defer need.SetImmutable(w.stateDir, false)

	report, err := drain.Run(context.Background(), drain.Config{Spool: s, Breaker: alwaysClosed{}, Transmitter: &w.listener, Index: index})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.LocalErrors) != 1 || !errors.Is(report.LocalErrors[0], fs.ErrPermission) || !strings.Contains(report.LocalErrors[0].Error(), "central_listener.index") {
		t.Errorf("an index that may not be written is reported as %v, want one permission error that names the index", report.LocalErrors)
	}
}
