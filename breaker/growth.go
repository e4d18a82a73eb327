package breaker

import "math/rand/v2"

// retryTimeout is how long the breaker lets nothing pass after so many failed probes in succession.
// It is never less than the first one, and never more than the longest.
func (r rules) retryTimeout(failedProbes int) micros {
	if failedProbes == 0 || r.longest <= r.timeout {
		return r.timeout
	}
	whole := r.longest
	if r.timeout <= whole>>failedProbes { // shifted to the right, because the other way overflows
		whole = r.timeout << failedProbes
	}
	if r.spread {
		// The last half of what was grown to. The halves of one doubling after the other leave no
		// gap between them. Each probe has a part of its own, so that hosts which probe together
		// once do not do so again.
		whole -= micros(r.part(failedProbes) * float64(whole/2))
	}
	return max(r.timeout, whole)
}

// part is a number from 0 up to 1 that follows from the host and the number of the probe alone.
func (r rules) part(failedProbes int) float64 {
	return rand.New(rand.NewPCG(r.seed, uint64(failedProbes))).Float64()
}
