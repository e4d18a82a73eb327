package breaker

// maxTrip is the longest hold of a trip, 100 years. A file that claims more was not written by a trip.
const maxTrip micros = 100 * 365 * 24 * 3600 * 1_000_000

// probeAt is the moment from which an open breaker lets a probe pass. One that does not say since when it is open (a file
// written by hand) is not held by the retry timeout.
func (r rules) probeAt(m memory) micros {
	if m.openedAt == 0 || m.tripped && m.notBefore != 0 {
		return m.notBefore
	}
	return max(m.openedAt+r.timeout, m.notBefore)
}

// wait is how long it takes until a request may go. It is for a memory without times in the future (see reanchor); that
// is what bounds it.
func (r rules) wait(m memory, now micros) micros {
	if m.state != Open {
		return 0
	}
	return max(r.probeAt(m)-now, 0)
}

// reanchor corrects times that lie in the future, because the clock stepped back or something else wrote the file. An
// open breaker counts from now on, with as much of its hold as it had when it opened.
func (r rules) reanchor(m memory, now micros) memory {
	m.lastFailure = min(m.lastFailure, now)
	m.openSince = min(m.openSince, now)
	if ahead := m.openedAt - now; ahead > 0 {
		m.openedAt = now
		m.notBefore = max(m.notBefore-ahead, 0)
	}
	if m.notBefore > now+maxTrip {
		m.tripped = false
	}
	if !m.tripped {
		m.notBefore = min(m.notBefore, now+r.holdCap)
	}
	return m
}

// elapsed is an open memory whose hold is over.
func (m memory) elapsed() memory {
	m.openedAt, m.notBefore, m.tripped = 0, 0, false
	return m
}
