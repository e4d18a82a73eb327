package drain_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// dies lets a listener fail after so many good answers. Every answer takes a second, so that as
// many requests are in flight as may be.
func dies(after int, v transmit.Verdict) func(string) transmit.Verdict {
	var mu sync.Mutex
	return func(string) transmit.Verdict {
		mu.Lock()
		after--
		alive := after >= 0
		mu.Unlock()
		time.Sleep(time.Second) // of the bubble's time
		if alive {
			return ok()
		}
		return v
	}
}

// An outage may begin at any time. Failures in it say nothing of the payloads, even if others were
// delivered before.
func TestAnOutageThatBeginsInTheMiddleOfARunDefersNothing(t *testing.T) {
	silent := down()
	silent.Sent = true
	for name, verdict := range map[string]transmit.Verdict{"answers 500": fails(500), "falls silent": silent} {
		for _, concurrency := range []int{1, 4, 64} {
			for _, batch := range []int{1, 8} {
				t.Run(fmt.Sprintf("a listener that %s, %d at a time in batches of %d", name, concurrency, batch), func(t *testing.T) {
					w := newWorldIn(t, fastDir(t))
					w.config.Concurrency, w.config.BatchItems = concurrency, batch
					w.writeMany("x", 3000, time.Hour)
					synctest.Test(t, func(t *testing.T) {
						w.listener.answer = dies(150, verdict)
						r := w.run()
						equal(t, "stop", r.Stop, drain.BreakerOpen)
						equal(t, "items delivered before it", r.Delivered > 140, true)
					})
					if index, err := os.ReadFile(w.indexPath()); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("the outage is held against payloads: %.200s, %v", index, err)
					}
				})
			}
		}
	}
}

// With failures on record, a run cannot tell an outage from bad payloads that are left over. It
// defers one item, and not all that were in flight.
func TestAnOutageInARunThatBeganWithFailuresDefersOneItem(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.config.Concurrency = 64
	w.listener.answer = func(string) transmit.Verdict { return fails(500) }
	w.write("x.json", `{"first":1}`, time.Hour)
	w.run()
	w.writeMany("x", 3000, time.Hour)
	synctest.Test(t, func(t *testing.T) {
		w.listener.answer = dies(150, fails(500))
		w.run()
	})
	index, err := drain.OpenIndex(w.indexPath())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "deferred items", index.Deferred(), 1)
}

// A payload in front may be the only one whose answer opens the breaker at once. It goes last from
// then on, or it would cost every run all that comes behind it.
func TestAPayloadThatOpensTheBreakerAloneIsDeferred(t *testing.T) {
	notNow := fails(413)
	notNow.RetryAfter = time.Second
	for _, test := range []struct {
		name      string
		threshold int
		verdict   transmit.Verdict
	}{
		{"since it is told to wait", 5, notNow},
		{"since one failure is enough", 1, fails(500)},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorldIn(t, fastDir(t))
			w.breaker.FailureThreshold = test.threshold
			w.listener.answer = answerBad(test.verdict)
			w.write("bad.json", `{"bad":1}`, 2*time.Hour)
			w.writeMany("good", 50, time.Hour)
			delivered := 0
			for range 3 {
				delivered += w.run().Delivered
				w.now = w.now.Add(2 * time.Minute)
			}
			equal(t, "good payloads delivered by three runs", delivered, 50)
		})
	}
}

// New payloads that come one at a time are all that passes, and each may be sent before the bad
// one.
func TestABadPayloadAmongFewGoodOnesIsRejectedAfterItsAttempts(t *testing.T) {
	for _, age := range []time.Duration{0, time.Hour} {
		w := newWorldIn(t, fastDir(t))
		w.listener.answer = poison
		w.write("bad.json", `{"bad":1}`, age)
		runs := 0
		for ; len(w.rejected()) == 0 && runs < 15; runs++ {
			w.write("good.json", fmt.Sprintf(`{"n":%d}`, runs), time.Second)
			w.run()
			w.now = w.now.Add(2 * time.Minute)
		}
		if runs < 10 || runs > 11 {
			t.Errorf("a payload %v older than a good one was rejected after %d runs, want 10 or 11", age, runs)
		}
	}
}

func (w *world) indexPath() string { return filepath.Join(w.stateDir, "central_listener.index") }
