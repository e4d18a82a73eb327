package drain

import "time"

// A Ramp says how many requests a run has in flight, to a program that simulates runs. It is the
// run's own limit, and is told what a run tells it.
type Ramp struct{ limit limit }

// A Claim is one request under a Ramp.
type Claim struct{ number, generation int }

// NewRamp returns the Ramp of a run that begins. Of c, only the concurrency counts.
func NewRamp(c Config) *Ramp { return &Ramp{newLimit(c.withDefaults())} }

// InFlight is how many requests may be in flight.
func (r *Ramp) InFlight() int { return r.limit.requests }

// Claim begins a request.
func (r *Ramp) Claim() Claim { return Claim{r.limit.claim(), r.limit.generation} }

// Succeeded ends a request with a good answer.
func (r *Ramp) Succeeded(c Claim, latency time.Duration) {
	r.limit.succeeded(c.generation)
	r.limit.released(c.number, latency)
}

// Failed ends a request that failed, by overload perhaps. It reports whether the request was sent
// before the last failure was known. A run does not tell its breaker of such a failure while others
// can tell.
func (r *Ramp) Failed(c Claim, latency time.Duration, overload bool) (late bool) {
	late = c.generation != r.limit.generation
	r.limit.failed(overload && !late)
	r.limit.released(c.number, latency)
	return late
}
