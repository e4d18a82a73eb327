package main

import (
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// epoch is the wall clock's time when the outage begins.
var epoch = time.Unix(1_800_000_000, 0)

// wait is the default of --wait.
const wait = 10 * time.Second

// host is one machine: its timer, what it has spooled, its breaker, and its run if there is one.
type host struct {
	breaker *breaker.Breaker
	second  time.Duration // of the minute, at which its timer starts a run
	phase   time.Duration // when it makes its first payload
	period  time.Duration // from one payload to the next

	known     int // payloads that runs have found
	spooled   int // of them
	delivered int // of them

	ramp     *drain.Ramp // of the run
	todo     int         // payloads that the run has not sent
	inFlight int         // payloads
	left     int         // payloads that failed in this run
	untold   int         // failures that the breaker has not heard of
	stopped  bool        // the run sends nothing any more

	backlog   int           // payloads to deliver before the host has caught up
	drainedAt time.Duration // when it had
}

// made is how many payloads the host has made.
func (h *host) made(now time.Duration) int { return max(0, int((now-h.phase+h.period)/h.period)) }

// nextTimer is when the next run starts.
func (h *host) nextTimer(now time.Duration) time.Duration {
	return (now-h.second+time.Minute)/time.Minute*time.Minute + h.second
}

// startAt is when a run that starts now sends its first request, if it does.
func (h *host) startAt(now time.Duration) (at time.Duration, ok bool) {
	if h.spooled == 0 && h.made(now) == h.known {
		return 0, false
	}
	held := h.breaker.Wait(epoch.Add(now))
	return now + held, held <= wait
}

// begin starts to send all that is spooled.
func (h *host) begin(now time.Duration, concurrency int) {
	if !h.breaker.Available(epoch.Add(now)) {
		panic("a breaker is open after its wait")
	}
	found := h.made(now) - h.known
	h.known += found
	h.spooled += found
	h.ramp = drain.NewRamp(drain.Config{Concurrency: concurrency})
	h.todo, h.left, h.untold, h.stopped = h.spooled, 0, 0, false
}

// maySend reports whether another request may go.
func (h *host) maySend() bool { return !h.stopped && h.todo > 0 && h.inFlight < h.ramp.InFlight() }

// claim takes a payload to send.
func (h *host) claim() drain.Claim {
	h.todo--
	h.inFlight++
	return h.ramp.Claim()
}

// know takes note of how a request went.
func (h *host) know(now time.Duration, claim drain.Claim, how outcome, latency time.Duration) {
	h.inFlight--
	if how == good {
		h.spooled--
		h.delivered++
		h.ramp.Succeeded(claim, latency)
		_ = h.breaker.RecordSuccess(epoch.Add(now)) // saves nothing: the breaker was loaded with Peek
		return
	}
	h.left++
	if h.ramp.Failed(claim, latency, true) {
		h.untold++
		return
	}
	h.fail(now)
}

func (h *host) fail(now time.Duration) {
	_ = h.breaker.RecordFailure(epoch.Add(now), 0)
	h.stopped = h.stopped || h.breaker.State() == breaker.Open
}

// end ends the run.
func (h *host) end(now time.Duration) {
	for range h.untold {
		h.fail(now)
	}
	h.ramp = nil
}
