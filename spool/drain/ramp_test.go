package drain_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// A slowListener takes a second for every answer and notes how many requests it
// had at once in each second.
type slowListener struct {
	fail  func(n int) bool // by number of request, from 1
	quick bool             // fails in half the time

	mu       sync.Mutex
	begin    time.Time
	requests int
	flights  []int
}

func (l *slowListener) Send(_ context.Context, r transmit.Request) transmit.Verdict {
	l.mu.Lock()
	if l.begin.IsZero() {
		l.begin = time.Now()
	}
	second := int(time.Since(l.begin) / time.Second)
	for len(l.flights) <= second {
		l.flights = append(l.flights, 0)
	}
	l.flights[second]++
	l.requests++
	bad := l.fail != nil && l.fail(l.requests)
	l.mu.Unlock()
	if bad {
		if l.quick {
			time.Sleep(time.Second / 2) // of the bubble's time
		} else {
			time.Sleep(time.Second)
		}
		return fails(500)
	}
	time.Sleep(time.Second)
	return ok()
}

func TestTheRequestsInFlight(t *testing.T) {
	for _, test := range []struct {
		name        string
		concurrency int
		files       int
		fail        func(n int) bool
		quick       bool
		want        []int
		stop        drain.Stop
		late        int
	}{
		{name: "double with every round of good answers up to the limit", concurrency: 8, files: 30,
			want: []int{1, 2, 4, 8, 8, 7}},
		{name: "stay at one when that is the limit", concurrency: 1, files: 4,
			want: []int{1, 1, 1, 1}},
		{name: "begin at one again after any failure", concurrency: 8, files: 25, quick: true,
			fail: func(n int) bool { return n == 15 }, // the last of the round of eight
			want: []int{1, 2, 4, 8, 1, 2, 4, 3}},
		{name: "are one at a time for a listener that fails from the beginning", concurrency: 8, files: 30,
			fail: func(n int) bool { return true },
			want: []int{1, 1, 1, 1, 1}, stop: drain.BreakerOpen},
		{name: "when the breaker opens are let end and counted as late", concurrency: 8, files: 30,
			fail: func(n int) bool { return n > 7 },
			want: []int{1, 2, 4, 8}, stop: drain.BreakerOpen, late: 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.writeMany("x", test.files, time.Hour)
			synctest.Test(t, func(t *testing.T) {
				l := &slowListener{fail: test.fail, quick: test.quick}
				w.config.Transmitter, w.config.Concurrency = l, test.concurrency
				r := w.run()
				if !slices.Equal(l.flights, test.want) {
					t.Errorf("requests in each second: %v, want %v", l.flights, test.want)
				}
				equal(t, "stop", r.Stop, test.stop)
				equal(t, "results after the breaker had opened", r.Late, test.late)
			})
		})
	}
}

func TestALateSuccessDoesNotCloseAnOpenBreaker(t *testing.T) {
	w := newWorld(t)
	w.writeMany("x", 40, time.Hour)
	synctest.Test(t, func(t *testing.T) {
		l := &slowListener{quick: true, fail: func(n int) bool { return n > 7 && n <= 12 }}
		w.config.Transmitter, w.config.Concurrency = l, 8
		r := w.run()
		equal(t, "stop", r.Stop, drain.BreakerOpen)
		equal(t, "late successes", r.Late, 3)
		w.config.Transmitter = nil
		equal(t, "stop of the next run", w.run().Stop, drain.BreakerOpen)
		equal(t, "requests of the next run", len(w.listener.bodies()), 0)
	})
}
