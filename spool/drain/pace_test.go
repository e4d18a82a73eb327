package drain

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A simListener says when the answer to a request comes, and whether it is a good one. inFlight
// includes the request.
type simListener func(now time.Duration, inFlight int) (at time.Duration, ok bool)

// unlimited takes any number of requests at once.
func unlimited(latency time.Duration) simListener {
	return func(now time.Duration, _ int) (time.Duration, bool) { return now + latency, true }
}

// workers takes n requests at once, for a time that varies by a part of it; others wait in a queue.
func workers(n int, service time.Duration, varies float64) simListener {
	free := make([]time.Duration, n)
	random := rand.New(rand.NewPCG(13, 1))
	return func(now time.Duration, _ int) (time.Duration, bool) {
		slices.Sort(free)
		free[0] = max(now, free[0]) + time.Duration(float64(service)*(1+varies*(2*random.Float64()-1)))
		return free[0], true
	}
}

// refusing fails what is above most at once.
func refusing(most int, latency, refusal time.Duration) simListener {
	var active []time.Duration
	return func(now time.Duration, _ int) (time.Duration, bool) {
		active = slices.DeleteFunc(active, func(until time.Duration) bool { return until <= now })
		if len(active) >= most {
			return now + refusal, false
		}
		active = append(active, now+latency)
		return now + latency, true
	}
}

// doubling takes twice as long for each of more than n requests.
func doubling(n int, latency time.Duration) simListener {
	return func(now time.Duration, inFlight int) (time.Duration, bool) {
		if inFlight > n {
			return now + 2*latency, true
		}
		return now + latency, true
	}
}

// slowing becomes slower after a second, whatever is in flight.
func slowing(before, after time.Duration) simListener {
	return func(now time.Duration, _ int) (time.Duration, bool) {
		if now > time.Second {
			return now + after, true
		}
		return now + before, true
	}
}

// simulated is what came of a simulated drain.
type simulated struct {
	rate     float64 // answers a second
	most     int     // requests in flight
	failed   int
	openings int // of a breaker with a threshold of five
}

// simulate drains payloads in virtual time. This machine takes 40 us for each, one after the other.
func simulate(c Config, payloads int, listener simListener) simulated {
	type request struct {
		number, generation int
		sent, at           time.Duration
		ok                 bool
	}
	var (
		l         = newLimit(c.withDefaults())
		s         simulated
		now, idle time.Duration // idle is when this machine has time for the next request
		flying    []request
		failures  int
	)
	for left := payloads; left > 0 || len(flying) > 0; {
		for left > 0 && len(flying) < l.requests {
			left--
			idle = max(now, idle) + 40*time.Microsecond
			r := request{number: l.claim(), generation: l.generation, sent: idle}
			r.at, r.ok = listener(r.sent, len(flying)+1)
			flying = append(flying, r)
		}
		s.most = max(s.most, len(flying))
		r := slices.MinFunc(flying, func(a, b request) int { return cmp.Compare(a.at, b.at) })
		at := slices.Index(flying, r)
		flying = slices.Delete(flying, at, at+1)
		now = r.at
		if r.ok {
			failures = 0
			l.succeeded(r.generation)
		} else {
			s.failed++
			if failures++; failures == 5 {
				s.openings, failures = s.openings+1, 0
			}
			l.failed(r.generation == l.generation)
		}
		l.released(r.number, r.at-r.sent)
	}
	s.rate = float64(payloads) / now.Seconds()
	return s
}

func TestAnAdaptiveLimitFollowsTheListener(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name      string
		listener  func() simListener
		rate      float64 // at least, a second
		ofBest    float64 // at least, of the best fixed limit from 1 to 64
		ofSixteen float64 // at least, of a fixed limit of 16
		most      int     // in flight
		failed    int     // at most, of 2,000
	}{
		{name: "that is on this machine", listener: func() simListener { return unlimited(0) }, ofBest: 0.85},
		{name: "2 ms away", listener: func() simListener { return unlimited(2 * ms) }, ofBest: 0.85},
		{name: "20 ms away", listener: func() simListener { return unlimited(20 * ms) }, ofBest: 0.85},
		{name: "100 ms away", listener: func() simListener { return unlimited(100 * ms) }, ofBest: 0.85},
		{name: "with one worker", listener: func() simListener { return workers(1, 10*ms, 0) }, rate: 0.95 * 100, most: 12},
		{name: "with 8 workers", listener: func() simListener { return workers(8, 10*ms, 0) }, rate: 0.9 * 800, most: 20},
		{name: "with 8 workers of changing speed", listener: func() simListener { return workers(8, 10*ms, 0.5) }, rate: 0.9 * 800, most: 20},
		{name: "with 32 workers", listener: func() simListener { return workers(32, 10*ms, 0) }, rate: 0.9 * 3200, most: 64},
		{name: "that takes twice as long above 16 at once", listener: func() simListener { return doubling(16, 10*ms) }, ofSixteen: 0.7, most: 24},
		{name: "that takes four times as long from some time on", listener: func() simListener { return slowing(10*ms, 40*ms) }, ofBest: 0.85},
		{name: "that answers 503 above 16 at once", listener: func() simListener { return refusing(16, 10*ms, ms) }, ofSixteen: 0.8, most: 20, failed: 5},
		{name: "that answers 503 above 8 at once", listener: func() simListener { return refusing(8, 10*ms, ms) }, rate: 0.75 * 800, most: 12, failed: 5},
		{name: "that says nothing above 8 at once", listener: func() simListener { return refusing(8, 10*ms, 5*time.Second) }, most: 12, failed: 5},
	} {
		for _, payloads := range []int{2_000, 10_000} {
			got := simulate(Config{}, payloads, test.listener())
			rate := test.rate
			if test.ofBest > 0 {
				for n := range 64 {
					rate = max(rate, test.ofBest*simulate(Config{Concurrency: n + 1}, payloads, test.listener()).rate)
				}
			}
			if test.ofSixteen > 0 {
				rate = test.ofSixteen * simulate(Config{Concurrency: 16}, payloads, test.listener()).rate
			}
			if got.rate < rate {
				t.Errorf("a listener %s: %.0f payloads a second of %d, want %.0f", test.name, got.rate, payloads, rate)
			}
			if test.most > 0 && got.most > test.most {
				t.Errorf("a listener %s: %d requests in flight, want %d at most", test.name, got.most, test.most)
			}
			if got.openings > 0 || got.failed > test.failed*payloads/2_000 {
				t.Errorf("a listener %s: %d of %d failed and the breaker opened %d times, want %d at most and not at all",
					test.name, got.failed, payloads, got.openings, test.failed*payloads/2_000)
			}
		}
	}
}

// A listener whose answers have come late, for whatever reason, is asked a few at a time at least.
func TestLatencyAloneNeverBringsTheLimitBelowAFew(t *testing.T) {
	l := newLimit(Config{}.withDefaults())
	for n := range 200 {
		l.released(l.claim(), time.Duration(1+n*n)*time.Millisecond)
		if n > 2 && l.requests < fewRequests {
			t.Fatalf("%d requests after %d answers, each later than the one before", l.requests, n+1)
		}
	}
}

func TestAnAdaptiveLimitStaysWithinItsMost(t *testing.T) {
	for _, most := range []int{1, 3, 10, 200} {
		got := simulate(Config{MaxConcurrency: most}, 20_000, unlimited(100*time.Millisecond))
		if got.most != most {
			t.Errorf("%d requests in flight, want %d", got.most, most)
		}
	}
}

func TestAnAdaptiveLimitIsOneAfterAnyFailure(t *testing.T) {
	l := newLimit(Config{}.withDefaults())
	for range 100 {
		number := l.claim()
		l.succeeded(l.generation)
		l.released(number, time.Millisecond)
	}
	if l.requests < 8 {
		t.Fatalf("%d requests after a hundred good answers", l.requests)
	}
	number, late := l.claim(), l.claim()
	old := l.generation
	l.failed(false)
	l.released(number, time.Millisecond)
	l.succeeded(old)
	l.released(late, time.Millisecond)
	if l.requests != 1 {
		t.Errorf("%d requests after a failure and an answer to what was asked before it, want 1", l.requests)
	}
}

// A claim can come to nothing: its file has vanished, or holds nothing that can be sent.
func TestClaimsThatSendNothingDoNotHoldTheLimitBack(t *testing.T) {
	l := newLimit(Config{}.withDefaults())
	for n := range 200 {
		number, latency := l.claim(), time.Millisecond
		if n%3 > 0 {
			latency = noLatency
		}
		l.released(number, latency)
	}
	if l.requests < 8 {
		t.Errorf("%d requests after 200 claims, a third of them answered", l.requests)
	}
}

func TestUnderAnAdaptiveLimitRequestsCarryABoundedNumberOfBytes(t *testing.T) {
	if l := newLimit(Config{}.withDefaults()); l.fits(maxBytesInFlight+1) || !l.fits(maxBytesInFlight) {
		t.Errorf("more than %d bytes fit, or fewer", maxBytesInFlight)
	}
	if l := newLimit(Config{Concurrency: 100}.withDefaults()); !l.fits(100 * maxBytesInFlight) {
		t.Error("a fixed limit counts bytes")
	}
}
