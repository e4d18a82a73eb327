package drain_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// belief is what a state file says, as far as requests decide it.
type belief struct {
	State    breaker.State `json:"state"`
	Failures int           `json:"failure_count"`
}

var closed = belief{}

// result is one answer as a breaker sees it.
type result struct {
	good bool
	hold time.Duration
}

// A ledger keeps what the listener answered in a run, and in which order the breaker heard of it,
// and works out what the state file must say afterwards.
type ledger struct {
	truth    belief // of the file before the run
	answers  []result
	recorded []result
}

func (l *ledger) open() { l.answers, l.recorded = nil, nil }

func (l *ledger) answered(v transmit.Verdict) {
	if v.Action != transmit.Aborted { // our own fault says nothing about the listener
		l.answers = append(l.answers, result{v.Action == transmit.Delivered, v.RetryAfter})
	}
}

func (l *ledger) watch(b drain.Breaker) drain.Breaker { return &witness{b, l} }

// A witness writes down what a breaker is told, which happens in one place at a time.
type witness struct {
	drain.Breaker
	ledger *ledger
}

func (w *witness) RecordSuccess(now time.Time) error {
	w.ledger.recorded = append(w.ledger.recorded, result{good: true})
	return w.Breaker.RecordSuccess(now)
}

func (w *witness) RecordFailure(now time.Time, hold time.Duration) error {
	w.ledger.recorded = append(w.ledger.recorded, result{hold: hold})
	return w.Breaker.RecordFailure(now, hold)
}

// check holds the state file against the answers of the run.
func (l *ledger) check(c *chaos, crashed bool) {
	c.t.Helper()
	heard := slices.Clone(l.recorded)
	if c.config.Concurrency > 1 {
		// Answers that arrive together are heard of in any order, and of several failures among
		// them one may be all that is heard of.
		slices.SortFunc(heard, compareResults)
		slices.SortFunc(l.answers, compareResults)
		isFailure := func(r result) bool { return r == result{} }
		plain := len(l.answers)
		l.answers = slices.DeleteFunc(l.answers, isFailure)
		plain -= len(l.answers)
		plainHeard := len(heard)
		heard = slices.DeleteFunc(heard, isFailure)
		plainHeard -= len(heard)
		isHold := func(r result) bool { return r.hold > 0 } // is a failure that is always heard of
		if plainHeard > plain || plainHeard == 0 && plain > 0 && !slices.ContainsFunc(heard, isHold) {
			c.t.Errorf("the listener failed %d times, and the breaker heard of %d", plain, plainHeard)
		}
	}
	if !slices.Equal(heard, l.answers) {
		c.t.Errorf("the listener gave the answers %v, and the breaker heard of %v", l.answers, heard)
	}
	memory, saved := l.truth, l.truth
	wasOpen := memory.State == breaker.Open
	if wasOpen && len(l.recorded) > 0 { // or nothing could have been sent
		memory.State = breaker.HalfOpen
	}
	for _, r := range l.recorded {
		was := memory.State
		memory = memory.after(r, c.breaker.FailureThreshold)
		if !r.good || memory.State != was {
			saved = memory // at once; that a count begins anew waits for the end of the run
		}
	}
	want := memory
	if crashed {
		want = saved
	}
	got := c.belief()
	if c.unsaved { // it must be whole, which belief checks, and any of what was saved before
		l.truth = got
		return
	}
	if wasOpen && len(l.recorded) == 0 && got.State == breaker.HalfOpen {
		want.State = breaker.HalfOpen // a probe of which nothing was heard
	}
	if got != want {
		c.t.Errorf("the state file says %v with %d failures, and after %v and the answers %v (crashed: %v) it must be %v with %d",
			got.State, got.Failures, l.truth, l.recorded, crashed, want.State, want.Failures)
	}
	l.truth = want
}

// after is the breaker's rule, told anew.
func (b belief) after(r result, threshold int) belief {
	switch {
	case r.good && b.State == breaker.Open: // asked before it opened
		return b
	case r.good:
		return closed
	}
	b.Failures++
	if b.State == breaker.HalfOpen || b.Failures >= threshold || r.hold > 0 {
		b.State = breaker.Open
	}
	return b
}

func compareResults(a, b result) int {
	if a.good != b.good {
		if a.good {
			return -1
		}
		return 1
	}
	return int(a.hold - b.hold)
}

func (c *chaos) statePath() string { return filepath.Join(c.stateDir, "central_listener.state") }

// belief reads the state file without help from the code that wrote it.
func (c *chaos) belief() (b belief) {
	c.t.Helper()
	data, err := os.ReadFile(c.statePath())
	if errors.Is(err, fs.ErrNotExist) {
		return closed
	}
	if err == nil {
		err = json.Unmarshal(data, &b)
	}
	if err != nil {
		c.t.Errorf("the state file is not whole: %v: %s", err, data)
	}
	return b
}
