package drain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// items makes an array of n items, {"prefix":0} and so on.
func items(prefix string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"%s":%d}`, prefix, i)
	}
	return list
}

func arrayFile(items ...[]string) string {
	var all []string
	for _, list := range items {
		all = append(all, list...)
	}
	return "[" + strings.Join(all, ",") + "]"
}

// answerBad answers requests that hold a bad item so, and all others well.
func answerBad(v transmit.Verdict) func(string) transmit.Verdict {
	return func(body string) transmit.Verdict {
		if strings.Contains(body, "bad") {
			return v
		}
		return ok()
	}
}

// Bad payloads stand together: they are one producer's, or one minute's. Ahead of good ones they may
// cost a request each, and must not keep the good ones back.
func TestBadPayloadsAheadCostOneRequestEachAndNothingBehindThemWaits(t *testing.T) {
	spools := []struct {
		name  string
		build func(w *world, bad int)
	}{
		{"files", func(w *world, bad int) {
			w.writeMany("bad", bad, 2*time.Hour)
			w.writeMany("good", 150, time.Hour)
		}},
		{"one array file", func(w *world, bad int) {
			w.write("a.json", arrayFile(items("bad", bad), items("good", 150)), time.Hour)
		}},
		{"an array file of bad items before files", func(w *world, bad int) {
			w.write("a.json", arrayFile(items("bad", bad)), 2*time.Hour)
			w.writeMany("good", 150, time.Hour)
		}},
		{"an array file of bad items before one of good items", func(w *world, bad int) {
			w.write("a.json", arrayFile(items("bad", bad)), 2*time.Hour)
			w.write("b.json", arrayFile(items("good", 150)), time.Hour)
		}},
		{"files before an array file", func(w *world, bad int) {
			w.writeMany("bad", bad, 2*time.Hour)
			w.write("b.json", arrayFile(items("good", 150)), time.Hour)
		}},
		{"files at both ends", func(w *world, bad int) {
			w.writeMany("bad", bad, 2*time.Hour)
			w.writeMany("good", 150, time.Hour)
			w.write("zbad.json", `{"bad":"last"}`, time.Second)
		}},
	}
	for _, answer := range []struct {
		name    string
		bad     int
		verdict transmit.Verdict
	}{
		{"get a 500", 40, fails(500)},
		{"get a 422", 25, refuses(422)},
		{"refuse the connection", 40, down()},
	} {
		for _, s := range spools {
			for _, concurrency := range []int{1, 4} {
				t.Run(fmt.Sprintf("%s that %s, %d at a time", s.name, answer.name, concurrency), func(t *testing.T) {
					w := newWorldIn(t, fastDir(t))
					w.config.Concurrency = concurrency
					w.listener.answer = answerBad(answer.verdict)
					s.build(w, answer.bad)
					r := w.run()
					equal(t, "delivered by the first run", r.Delivered, 150)
					sent := map[string]int{}
					for _, body := range w.listener.bodies() {
						if sent[body]++; sent[body] > 1 {
							t.Errorf("%s was sent %d times", body, sent[body])
						}
					}
				})
			}
		}
	}
}

func TestBadPayloadsAheadKeepNothingBackWithBatches(t *testing.T) {
	for _, answer := range []struct {
		name    string
		verdict transmit.Verdict
	}{{"500", fails(500)}, {"422", refuses(422)}} {
		for before := range 20 {
			t.Run(fmt.Sprintf("that get a %s, after %d good ones", answer.name, before), func(t *testing.T) {
				w := newWorldIn(t, fastDir(t))
				w.config.BatchItems = 8
				w.listener.answer = answerBad(answer.verdict)
				w.writeMany("early", before, 3*time.Hour)
				w.writeMany("bad", 25, 2*time.Hour)
				w.writeMany("good", 150, time.Hour)
				delivered := w.run().Delivered
				if answer.verdict.Action == transmit.Kept {
					// Good ones that were in one batch with a bad one have failed, and go alone.
					if delivered < 150 {
						t.Errorf("the first run delivered only %d", delivered)
					}
					w.now = w.now.Add(2 * time.Minute)
					delivered += w.run().Delivered
				}
				equal(t, "delivered", delivered, before+150)
			})
		}
	}
}

// Many requests in flight can fail together before a good answer comes, and open the breaker. That
// costs one retry timeout.
func TestBadPayloadsInTheMiddleOfManyRequestsKeepNothingBackAfterTheNextProbe(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.config.Concurrency = 32
	w.writeMany("early", 100, 3*time.Hour)
	w.writeMany("bad", 60, 2*time.Hour)
	w.writeMany("good", 150, time.Hour)
	w.listener.answer = poison
	delivered := w.run().Delivered
	w.now = w.now.Add(2 * time.Minute)
	delivered += w.run().Delivered
	equal(t, "delivered by two runs", delivered, 250)
}

func TestBadDeferredPayloadsKeepNoGoodDeferredOnesBack(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.writeMany("bad", 20, 3*time.Hour)
	w.writeMany("later", 20, 2*time.Hour)
	w.writeMany("good", 60, time.Hour)
	w.listener.answer = func(body string) transmit.Verdict {
		if strings.Contains(body, "good") {
			return ok()
		}
		return fails(500)
	}
	equal(t, "failed in the first run", w.run().Failed, 40)
	w.now = w.now.Add(time.Hour)
	w.listener.answer = poison
	equal(t, "delivered once all that is left is deferred", w.run().Delivered, 20)
}

// Good payloads that were deferred must not wait for ever behind new bad ones.
func TestNewBadPayloadsKeepNoDeferredOneBackForLong(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.write("later.json", `{"later":1}`, 3*time.Hour)
	w.write("good.json", `{"good":1}`, 2*time.Hour)
	w.listener.answer = func(body string) transmit.Verdict {
		if strings.Contains(body, "good") {
			return ok()
		}
		return fails(500)
	}
	w.run()
	w.writeMany("bad", 1000, time.Hour)
	w.listener.answer = poison
	for range 4 {
		w.now = w.now.Add(2 * time.Minute)
		if w.run().Delivered > 0 {
			return
		}
	}
	t.Error("four runs have not tried the deferred payload")
}

// The failing listener must not be met by more requests than before.
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

// More bad payloads than the index has room for.
func TestMoreBadPayloadsThanTheIndexRemembersBlockNothingAndAreRejectedInTheEnd(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.maxDeferred = 20
	w.writeMany("bad", 60, 3*time.Hour)
	w.writeMany("good", 80, 2*time.Hour)
	w.listener.answer = poison
	equal(t, "delivered by the first run", w.run().Delivered, 80)
	for n := range 400 {
		w.now = w.now.Add(2 * time.Minute)
		w.write("fresh.json", fmt.Sprintf(`{"fresh":%d}`, n), time.Second)
		w.run()
		if left := w.names(); len(left) > 0 && left[len(left)-1] == "fresh.json" {
			// It may take a probe or two to find it.
			w.now = w.now.Add(2 * time.Minute)
			w.run()
			w.now = w.now.Add(2 * time.Minute)
			w.run()
			w.now = w.now.Add(2 * time.Minute)
			w.run()
			if left := w.names(); len(left) > 0 && left[len(left)-1] == "fresh.json" {
				t.Fatalf("a good payload waits behind %d bad ones", len(left)-1)
			}
		}
		if len(w.names()) == 0 {
			equal(t, "rejected", len(w.rejected()), 60)
			return
		}
	}
	t.Errorf("after 400 runs %d bad payloads are left", len(w.names()))
}

// One payload that always fails, in a spool where nothing else happens, opens the breaker. What
// comes later must not wait for it.
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
