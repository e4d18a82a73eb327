package breaker

import "time"

// Reset closes the breaker and clears everything. It saves even if nothing changed, so that it
// replaces a file that could not be read.
func (b *Breaker) Reset(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stepLocked(event{kind: reset}, now)
	return b.saveLocked()
}

// Trip opens the breaker by hand for exactly hold. MaxRetryAfter does not apply, but 100 years are
// the end. A hold of 0 or less is one retry timeout. The probe that follows decides as ever.
func (b *Breaker) Trip(now time.Time, hold time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stepLocked(event{kind: tripped, hold: microsFrom(max(hold, 0))}, now)
	return b.saveLocked()
}

// Force lets a probe pass before its time. It changes nothing for a breaker that lets requests
// pass. It also changes nothing on disk: the hold stays in the file until the probe's result is
// recorded, so that a kill does not end it. Success closes the breaker. Failure leaves the hold as
// it was, unless a Retry-After ends later. Without a result, Save takes Force back.
func (b *Breaker) Force(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stepLocked(event{kind: forced}, now)
}
