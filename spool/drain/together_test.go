package drain_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// Bad payloads that stand together are in flight together, more of them than open the breaker. They
// must not do so while good payloads surround them.
func TestBadPayloadsInTheMiddleOfManyRequestsOpenNoBreaker(t *testing.T) {
	for name, verdict := range map[string]transmit.Verdict{"fail": fails(500), "are refused": refuses(422)} {
		for _, concurrency := range []int{4, 32, 64} {
			for _, bad := range []int{5, 39, 64, 300} {
				t.Run(fmt.Sprintf("%d that %s, %d at a time", bad, name, concurrency), func(t *testing.T) {
					w := newWorldIn(t, fastDir(t))
					w.config.Concurrency = concurrency
					w.writeMany("early", 200, 3*time.Hour)
					w.writeMany("bad", bad, 2*time.Hour)
					w.writeMany("good", 500, time.Hour)
					synctest.Test(t, func(t *testing.T) {
						w.listener.answer = func(body string) transmit.Verdict {
							time.Sleep(time.Second) // of the bubble's time
							return answerBad(verdict)(body)
						}
						r := w.run()
						equal(t, "stop", r.Stop, drain.Drained)
						equal(t, "delivered", r.Delivered, 700)
						equal(t, "requests", r.Requests, 700+bad)
					})
				})
			}
		}
	}
}

// A listener that fails for everything from some time on gets what was in flight, and four requests
// from elsewhere: their failures and the first of those in flight are five.
func TestAListenerThatFailsInTheMiddleOfManyRequestsGetsNoMoreThanItTakes(t *testing.T) {
	notNow := fails(503)
	notNow.RetryAfter = time.Minute
	for _, test := range []struct {
		name        string
		verdict     transmit.Verdict
		concurrency int
		want        int // requests after the last good answer
	}{
		{"answers 500, one at a time", fails(500), 1, 5},
		{"answers 500, 2 at a time", fails(500), 2, 2 + 4},
		{"answers 500, 4 at a time", fails(500), 4, 4 + 4},
		{"answers 500, 64 at a time", fails(500), 64, 64 + 4},
		{"refuses connections, one at a time", down(), 1, 5},
		{"refuses connections, 4 at a time", down(), 4, 4 + 4},
		{"refuses connections, 64 at a time", down(), 64, 64 + 4},
		{"asks to be left alone, 64 at a time", notNow, 64, 64},
	} {
		t.Run("one that "+test.name, func(t *testing.T) {
			w := newWorldIn(t, fastDir(t))
			w.config.Concurrency = test.concurrency
			w.writeMany("x", 1000, time.Hour)
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now() // of the bubble's time
				w.listener.answer = func(string) transmit.Verdict {
					isAlive := time.Since(begin) < 7*time.Second
					time.Sleep(time.Second)
					if isAlive {
						return ok()
					}
					return test.verdict
				}
				r := w.run()
				equal(t, "stop", r.Stop, drain.BreakerOpen)
				equal(t, "requests after the last good answer", r.Requests-r.Delivered, test.want)
			})
		})
	}
}

// The breaker must hear of failures in succession although no request is left that could tell.
func TestFailuresAtTheEndOfTheSpoolOpenTheBreaker(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.config.Concurrency = 64
	w.writeMany("x", 200, 2*time.Hour)
	w.writeMany("bad", 10, time.Hour)
	synctest.Test(t, func(t *testing.T) {
		w.listener.answer = func(body string) transmit.Verdict {
			v := poison(body)
			time.Sleep(time.Duration(v.Status) * time.Second) // the bad ones come last
			return v
		}
		r := w.run()
		equal(t, "stop", r.Stop, drain.BreakerOpen)
		equal(t, "delivered", r.Delivered, 200)
	})
}

// Two producers take turns, and one of them writes nothing but bad payloads.
func TestBadPayloadsInARegularPatternDoNotMeetEveryProbe(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.config.Concurrency = 1
	const times, good, bad = 20, 30, 10
	for n := range times {
		age := time.Duration(times-n) * time.Hour
		w.writeMany(fmt.Sprintf("good%02d", n), good, age)
		w.writeMany(fmt.Sprintf("bad%02d", n), bad, age-time.Minute)
	}
	w.listener.answer = func(body string) transmit.Verdict {
		if strings.Contains(body, "bad") {
			return fails(500)
		}
		return ok()
	}
	w.writeMany("youngest", good, time.Minute)
	row, delivered := 0, 0
	for delivered < times*good {
		r := w.run()
		delivered += r.Delivered
		if row++; r.Delivered > 0 {
			row = 0
		}
		if row > 8 {
			t.Fatalf("%d probes in a row met a bad payload, with %d good ones delivered", row, delivered)
		}
		w.now = w.now.Add(2 * time.Minute)
	}
}
