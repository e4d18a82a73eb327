package breaker

// memory is all a breaker knows, and all the state file keeps. It is comparable: whether something is unsaved is a
// comparison with what was last read or written.
type memory struct {
	state       State
	failures    int // consecutive
	lastFailure micros
	openedAt    micros // each failed probe moves it
	openSince   micros // when it last left closed; failed probes do not move it; only when not closed
	notBefore   micros // no probe before, on top of the retry timeout; only when open
	tripped     bool   // opened by hand: notBefore alone says until when, and the cap does not apply; only when open
	forced      bool   // half-open by hand, its hold not being over; that stands unless the probe succeeds. Never in the file
}

type eventKind int

const (
	looked    eventKind = iota // nothing but the clock moved
	asked                      // may a request go?
	succeeded                  // a request got its 2xx
	failed                     // a request did not; hold is its Retry-After
	reset                      // closed by hand
	tripped                    // opened by hand, for hold
	forced                     // a probe was let through by hand
)

// event is what happens to a breaker. hold is 0 or positive; only failed and tripped use it.
type event struct {
	kind eventKind
	hold micros
}

// rules are the settings that decide transitions.
type rules struct {
	threshold int
	timeout   micros // the retry timeout with this host's jitter
	holdCap   micros // longest Retry-After that is believed
}

// step is the whole behaviour of the breaker: what it knows after e happened at now.
func (r rules) step(m memory, e event, now micros) memory {
	switch e.kind {
	case looked:
		return r.reanchor(m, now)
	case asked:
		m = r.reanchor(m, now)
		if m.state == Open && r.wait(m, now) == 0 {
			m.state, m.notBefore, m.tripped = HalfOpen, 0, false
		}
		return m
	case succeeded:
		return r.success(m)
	case failed:
		return r.failure(m, now, e.hold)
	case reset:
		return memory{}
	case tripped:
		m = m.open(now)
		m.tripped = true
		if e.hold > 0 {
			m.notBefore = now + min(e.hold, maxTrip)
		}
	case forced:
		m = r.reanchor(m, now)
		if r.wait(m, now) > 0 {
			m.state, m.forced = HalfOpen, true
		}
	}
	return m
}

func (r rules) success(m memory) memory {
	switch m.state {
	case Closed:
		m.failures = 0
	case HalfOpen:
		m = memory{}
	}
	// Open: the request was sent before the breaker opened, and the failures since then weigh more.
	return m
}

func (r rules) failure(m memory, now, retryAfter micros) memory {
	m.failures = min(m.failures+1, maxCount)
	m.lastFailure = now
	switch {
	case m.state == Open:
		// A request that was in flight: opened_at stays, or a slow listener would push the probe ever further away.
	case m.forced:
		m = r.openAgain(m, now)
	case m.state == HalfOpen, m.failures >= r.threshold, retryAfter > 0:
		m = m.open(now)
	}
	if m.state == Open && retryAfter > 0 {
		if until := now + min(retryAfter, r.holdCap); until > r.probeAt(m) {
			m.notBefore = until
		}
	}
	return m
}

// open is m opened at now, held by the retry timeout alone.
func (m memory) open(now micros) memory {
	m.state, m.openedAt, m.notBefore, m.tripped, m.forced = Open, now, 0, false, false
	if m.openSince == 0 || m.openSince > now { // the clock may have stepped back since it was loaded
		m.openSince = now
	}
	return m
}

// openAgain is m opened by the failure of a probe that was forced, and held at least as long as it was before: whoever
// looks whether the listener is back must not end a Retry-After or a maintenance that way.
func (r rules) openAgain(m memory, now micros) memory {
	before := r.reanchor(m, now)
	m = m.open(now)
	m.tripped = before.tripped
	if until := r.probeAt(before); until > r.probeAt(m) {
		m.notBefore = until
	}
	return m
}

// settled is m without a probe that was forced and of which nothing was heard: the hold goes on.
func (m memory) settled() memory {
	if m.forced {
		m.state, m.forced = Open, false
	}
	return m
}
