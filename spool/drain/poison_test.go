package drain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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

// Bad payloads stand together: they are one producer's, or one minute's. Ahead of good ones they
// may cost a request each, and must not keep the good ones back.
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
		{"files at both ends and in the middle", func(w *world, bad int) {
			w.writeMany("bad", bad/3, 5*time.Hour)
			w.writeMany("good", 75, 4*time.Hour)
			w.writeMany("mbad", bad/3, 3*time.Hour)
			w.writeMany("mgood", 75, 2*time.Hour)
			w.writeMany("zbad", bad/3, time.Hour)
		}},
		{"files, each bad one between good ones", func(w *world, bad int) {
			for i := range 150 {
				at := time.Duration(200-i) * time.Minute
				w.write(fmt.Sprintf("good%03d.json", i), fmt.Sprintf(`{"good":%d}`, i), at)
				if i < bad {
					w.write(fmt.Sprintf("bad%03d.json", i), fmt.Sprintf(`{"bad":%d}`, i), at-time.Second)
				}
			}
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
				equal(t, "delivered", w.run().Delivered, before+150)
			})
		}
	}
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
