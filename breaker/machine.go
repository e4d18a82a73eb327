package breaker

// snapshot is all that a breaker knows and all that the state file keeps. It is comparable:
// something is unsaved when it differs from the snapshot that was last read or written.
type snapshot struct {
	state       State
	failures    int // consecutive
	lastFailure micros
	cause       string // of the last failure, in words for people; "" when nobody noted one
	openedAt    micros // each failed probe moves it
	openSince   micros // when it last left closed, for messages; failed probes do not move it; 0 when closed
	notBefore   micros // no probe before, on top of the retry timeout; 0 unless open
	tripped     bool   // opened by hand: notBefore alone counts, and the cap does not; false unless open
	forced      bool   // half-open by hand before the hold is over; only in memory

	// failedProbes is how many probes have failed in succession since the breaker left closed. The
	// retry timeout grows with it. Forced probes do not count.
	failedProbes int
}

type eventKind int

const (
	tick      eventKind = iota // time passed and nothing else happened
	allow                      // may a request go?
	succeeded                  // a request got its 2xx
	failed                     // a request did not; hold is its Retry-After
	reset                      // closed by hand
	tripped                    // opened by hand, for hold
	forced                     // a probe was let through by hand
)

// event is something that happens to a breaker. Only failed and tripped use hold, which is never
// negative.
type event struct {
	kind eventKind
	hold micros
}

// rules are the settings that decide transitions.
type rules struct {
	threshold int
	timeout   micros // the retry timeout with this host's jitter
	longest   micros // what the retry timeout grows to with failed probes; 0: it does not grow
	spread    bool   // each grown retry timeout is shortened by a part of it
	seed      uint64 // of these parts, this host's
	holdCap   micros // the longest Retry-After that is believed
}

// step is the whole behaviour of the breaker. It returns what the breaker knows after e happened at
// now.
func (r rules) step(s snapshot, e event, now micros) snapshot {
	switch e.kind {
	case tick:
		return r.reanchor(s, now)
	case allow:
		s = r.reanchor(s, now)
		if s.state == Open && r.wait(s, now) == 0 {
			s.state, s.notBefore, s.tripped = HalfOpen, 0, false
		}
		return s
	case succeeded:
		return r.success(s)
	case failed:
		return r.failure(s, now, e.hold)
	case reset:
		return snapshot{}
	case tripped:
		s = s.open(now)
		s.tripped, s.failedProbes = true, 0
		if e.hold > 0 {
			s.notBefore = now + min(e.hold, maxTrip)
		}
	case forced:
		s = r.reanchor(s, now)
		if r.wait(s, now) > 0 {
			s.state, s.forced = HalfOpen, true
		}
	}
	return s
}

func (r rules) success(s snapshot) snapshot {
	switch s.state {
	case Closed:
		s.failures, s.cause = 0, ""
	case HalfOpen:
		s = snapshot{}
	}
	// Open: the request was sent before the breaker opened, and the failures since then weigh more.
	return s
}

func (r rules) failure(s snapshot, now, retryAfter micros) snapshot {
	s = s.withoutForcedProbe()
	s.failures = min(s.failures+1, maxCount)
	s.lastFailure = now
	switch {
	case s.state == Open:
		// The request was in flight or a forced probe. opened_at stays. Otherwise a slow listener,
		// or a person who looks whether it is back, would push the probe ever further away.
	case s.state == HalfOpen:
		s = s.open(now)
		s.failedProbes = min(s.failedProbes+1, maxCount)
	case s.failures >= r.threshold, retryAfter > 0:
		s = s.open(now)
	}
	if s.state == Open && retryAfter > 0 {
		if until := now + min(retryAfter, r.holdCap); until > r.probeAt(s) {
			s.notBefore = until
		}
	}
	return s
}

// open is s opened at now and held by the retry timeout alone.
func (s snapshot) open(now micros) snapshot {
	s.state, s.openedAt, s.notBefore, s.tripped, s.forced = Open, now, 0, false, false
	if s.openSince == 0 || s.openSince > now { // the clock may have stepped back since it was loaded
		s.openSince = now
	}
	return s
}

// withoutForcedProbe is s after a forced probe that did not succeed: the hold goes on.
func (s snapshot) withoutForcedProbe() snapshot {
	if s.forced {
		s.state, s.forced = Open, false
	}
	return s
}
