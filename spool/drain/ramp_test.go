package drain_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// A slowListener takes a second for every answer and notes how many requests it had at once in each
// second.
type slowListener struct {
	fail  func(n int) bool // by number of request, from 1
	quick bool             // fails in half the time
	late  int              // the number of a request that fails in three quarters of it

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
	n := l.requests
	bad := l.fail != nil && l.fail(n)
	l.mu.Unlock()
	if bad {
		if n == l.late {
			time.Sleep(3 * time.Second / 4)
		} else if l.quick {
			time.Sleep(time.Second / 2) // of the bubble's time
		} else {
			time.Sleep(time.Second)
		}
		return down()
	}
	time.Sleep(time.Second)
	v := ok()
	v.Latency = time.Second
	return v
}

func TestRequestsInFlightGrowWithSuccessesAndFallToOneWithAFailure(t *testing.T) {
	for _, test := range []struct {
		name        string
		concurrency int
		files       int
		fail        func(n int) bool
		quick       bool
		threshold   int
		want        []int
		stop        drain.Stop
		late        int
	}{
		{name: "double with every round of good answers up to the limit", concurrency: 8, files: 30,
			want: []int{1, 2, 4, 8, 8, 7}},
		{name: "double to four and then grow by four while latency stays as it is", concurrency: 0, files: 60,
			want: []int{1, 2, 4, 8, 12, 16, 17}},
		{name: "stay at one when that is the limit", concurrency: 1, files: 4,
			want: []int{1, 1, 1, 1}},
		{name: "begin at one again after any failure", concurrency: 8, files: 25, quick: true,
			fail: func(n int) bool { return n == 15 }, // the last of the round of eight
			want: []int{1, 2, 4, 8, 1, 2, 4, 3}},
		{name: "are one at a time for a listener that fails from the beginning", concurrency: 8, files: 30,
			fail: func(n int) bool { return true },
			want: []int{1, 1, 1, 1, 1}, stop: drain.BreakerOpen},
		{name: "when the breaker opens are allowed to finish and counted as late", concurrency: 8, files: 30,
			fail:      func(n int) bool { return n > 7 },
			threshold: 1, want: []int{1, 2, 4, 8}, stop: drain.BreakerOpen, late: 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.writeMany("x", test.files, time.Hour)
			synctest.Test(t, func(t *testing.T) {
				l := &slowListener{fail: test.fail, quick: test.quick}
				w.config.Transmitter, w.config.Concurrency = l, test.concurrency
				w.breaker.FailureThreshold = test.threshold
				r := w.run()
				if !slices.Equal(l.flights, test.want) {
					t.Errorf("requests in each second: %v, want %v", l.flights, test.want)
				}
				equal(t, "stop", r.Stop, test.stop)
				equal(t, "results after the breaker had opened", r.LateResults, test.late)
			})
		})
	}
}

// The results that come in after the breaker has opened may come after its retry timeout as well,
// which is often shorter than a request's.
func TestALateSuccessDoesNotCloseAnOpenBreaker(t *testing.T) {
	for _, test := range []struct {
		name string
		fail func(n int) bool
		late int
	}{
		{"when three succeed late", func(n int) bool { return n > 7 && n <= 12 }, 0},
		{"when one fails late and two succeed still later", func(n int) bool { return n > 7 && n <= 13 }, 13},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.writeMany("x", 40, time.Hour)
			w.breaker.RetryTimeout, w.breaker.FailureThreshold = 100*time.Millisecond, 1
			synctest.Test(t, func(t *testing.T) {
				w.clock = time.Now // the bubble's
				w.config.Transmitter = &slowListener{quick: true, fail: test.fail, late: test.late}
				w.config.Concurrency = 8
				r := w.run()
				equal(t, "stop", r.Stop, drain.BreakerOpen)
				equal(t, "late results", r.LateResults, 7)
			})
			if state := w.read("../state/central_listener.state"); !strings.Contains(state, `"state":"open"`) {
				t.Errorf("the breaker is not open any more: %s", state)
			}
		})
	}
}

func TestLargePayloadsInFlightTogetherAreBounded(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.writeMany("small", 1+2+4+8, 2*time.Hour)
	large := `"` + strings.Repeat("x", 8<<20-2) + `"`
	for n := range 12 {
		w.write(fmt.Sprintf("x%02d.json", n), large, time.Hour)
	}
	synctest.Test(t, func(t *testing.T) {
		l := &slowListener{}
		w.config.Transmitter, w.config.Concurrency = l, 0
		w.run()
		// There would be 12 requests in the fifth second.
		if want := []int{1, 2, 4, 8, 8, 4}; !slices.Equal(l.flights, want) {
			t.Errorf("requests in each second: %v, want %v: 64 MiB in flight at most", l.flights, want)
		}
	})
}

// It was tried to let them grow more slowly. In the simulation of a fleet (contrib/fleet), that did
// not pay.
func TestAfterAnOutageRequestsInFlightGrowAsEver(t *testing.T) {
	w := newWorld(t)
	w.writeMany("x", 12, time.Hour)
	synctest.Test(t, func(t *testing.T) {
		w.clock = time.Now // the bubble's
		w.config.Transmitter, w.config.Concurrency = &slowListener{fail: func(int) bool { return true }}, 0
		equal(t, "stop", w.run().Stop, drain.BreakerOpen)
		time.Sleep(time.Minute) // of the bubble's time
		l := &slowListener{}
		w.config.Transmitter = l
		w.run()
		if want := []int{1, 2, 4, 5}; !slices.Equal(l.flights, want) {
			t.Errorf("requests in each second: %v, want %v", l.flights, want)
		}
	})
}
