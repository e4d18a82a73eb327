package drain_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// A failing listener must not be met by more requests because they come from elsewhere.
func TestAListenerThatFailsForEverythingGetsTheThresholdAndThenOneRequestPerProbe(t *testing.T) {
	for _, verdict := range []transmit.Verdict{fails(500), down()} {
		w := newWorldIn(t, fastDir(t))
		w.config.Concurrency = 4
		w.writeMany("x", 100, time.Hour)
		w.write("y.json", arrayFile(items("y", 100)), time.Minute)
		w.listener.answer = func(string) transmit.Verdict { return verdict }
		equal(t, "requests of the first run", w.run().Requests, 5)
		before := ""
		for range 50 {
			w.now = w.now.Add(2 * time.Minute)
			r := w.run()
			equal(t, "requests of a probe", r.Requests, 1)
			equal(t, "stop", r.Stop, drain.BreakerOpen)
			probe := w.listener.bodies()
			if last := probe[len(probe)-1]; last == before {
				t.Errorf("%s was the probe twice in a row", last)
			} else {
				before = last
			}
		}
	}
}

// In an outage nothing passes, so that nothing speaks against any payload.
func TestAnOutageLeavesTheIndexAndTheOrderAsTheyWere(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.writeMany("bad", 2, 3*time.Hour)
	w.writeMany("good", 3, 2*time.Hour)
	w.listener.answer = poison
	w.run() // both bad ones are deferred
	index := filepath.Join(w.stateDir, "central_listener.index")
	before, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}

	w.writeMany("new", 30, time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return fails(500) }
	for range 3 * 24 * 60 {
		w.now = w.now.Add(time.Minute)
		w.run()
	}
	after, err := os.ReadFile(index)
	if err != nil || string(after) != string(before) {
		t.Errorf("three days of outage made the index\n%s\nof\n%s, %v", after, before, err)
	}

	w.listener.bodies()
	w.now = w.now.Add(2 * time.Minute)
	w.listener.answer = poison
	w.run()
	var rest []string
	bodies := w.listener.bodies()
	for _, body := range bodies[1:] { // the first is the probe
		if !strings.Contains(bodies[0], body) {
			rest = append(rest, body)
		}
	}
	var want []string
	for _, body := range append(items("new", 30), items("bad", 2)...) {
		if body != bodies[0] {
			want = append(want, body)
		}
	}
	equal(t, "sent after the probe", strings.Join(rest, " "), strings.Join(want, " "))
}

// One payload that always fails, in a spool where nothing else happens, opens the breaker. Payloads
// that come later must not wait for it.
func TestALoneBadPayloadKeepsNothingBackThatComesLater(t *testing.T) {
	for alone := 1; alone < 40; alone++ {
		w := newWorldIn(t, fastDir(t))
		w.listener.answer = poison
		w.write("bad.json", `{"bad":1}`, time.Hour)
		for range alone {
			w.run()
			w.now = w.now.Add(time.Minute)
		}
		w.write("good.json", `{"good":1}`, 0)
		runs := 0
		for delivered := 0; delivered == 0 && runs < 10; runs++ {
			delivered = w.run().Delivered
			w.now = w.now.Add(time.Minute)
		}
		if most := 2; runs > most {
			t.Errorf("after %d runs with one bad payload alone, a good one waits for %d runs, want at most %d", alone, runs, most)
		}
		equal(t, "rejected", len(w.rejected()), 0)
	}
}
