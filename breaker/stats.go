package breaker

import "time"

// Stats describes a breaker at one moment. Times are Unix seconds, 0 when there is none.
type Stats struct {
	Name             string  `json:"name"`
	State            State   `json:"state"`           // as recorded
	EffectiveState   State   `json:"effective_state"` // half-open already when the hold is over
	FailureCount     int     `json:"failure_count"`   // consecutive
	FailureThreshold int     `json:"failure_threshold"`
	RetryTimeout     float64 `json:"retry_timeout"` // seconds, without jitter
	LastFailureTime  float64 `json:"last_failure_time"`
	LastFailureCause string  `json:"last_failure_cause,omitempty"` // as NoteFailure was told
	OpenedAt         float64 `json:"opened_at"`                    // of the last time: a failed probe opens it anew
	OpenSince        float64 `json:"open_since"`                   // of the first time since it was closed
	NextProbeAt      float64 `json:"next_probe_at"`                // with jitter; 0 unless EffectiveState is open
	NotBefore        float64 `json:"not_before"`                   // end of a Retry-After or a trip
	Tripped          bool    `json:"tripped"`                      // opened by hand
}

// State is the state as it is now. An open breaker stays open, however long ago it opened, until
// Available turns it half-open.
func (b *Breaker) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current.state
}

// Wait is how long it takes until a request may go, 0 if it may go now.
func (b *Breaker) Wait(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	// The step is kept, so that a caller who waits while the clock steps back does not wait from
	// the start each time it asks.
	b.stepLocked(event{kind: tick}, now)
	return b.rules.wait(b.current, microsAt(now)).duration()
}

// Stats describes the breaker at now and changes nothing.
func (b *Breaker) Stats(now time.Time) Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := microsAt(now)
	m := b.rules.step(b.current, event{kind: tick}, at)
	s := Stats{
		Name:             b.config.Name,
		State:            m.state,
		EffectiveState:   m.state,
		FailureCount:     m.failures,
		FailureThreshold: b.config.FailureThreshold,
		RetryTimeout:     b.config.RetryTimeout.Seconds(),
		LastFailureTime:  m.lastFailure.seconds(),
		LastFailureCause: m.cause,
		OpenedAt:         m.openedAt.seconds(),
		OpenSince:        m.openSince.seconds(),
		NotBefore:        m.notBefore.seconds(),
		Tripped:          m.tripped,
	}
	switch {
	case m.state != Open:
	case b.rules.wait(m, at) == 0:
		s.EffectiveState = HalfOpen
	default:
		s.NextProbeAt = b.rules.probeAt(m).seconds()
	}
	return s
}
