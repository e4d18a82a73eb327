package breaker

// maxTrip is the longest hold of a trip, 100 years. A file that claims more was not written by a
// trip.
const maxTrip micros = 100 * 365 * 24 * 3600 * 1_000_000

// probeAt is the moment from which an open breaker lets a probe pass. A breaker without opened_at
// (a file written by hand) is not held by the retry timeout.
func (r rules) probeAt(s snapshot) micros {
	if s.openedAt == 0 || s.tripped && s.notBefore != 0 {
		return s.notBefore
	}
	return max(s.openedAt+r.retryTimeout(s.failedProbes), s.notBefore)
}

// wait is how long it takes until a request may go. It expects a snapshot without times in the
// future (see reanchor), which is what bounds it.
func (r rules) wait(s snapshot, now micros) micros {
	if s.state != Open {
		return 0
	}
	return max(r.probeAt(s)-now, 0)
}

// reanchor corrects times that lie in the future, because the clock stepped back or something else
// wrote the file. An open breaker counts from now on, with as much of its hold as it had when it
// opened.
func (r rules) reanchor(s snapshot, now micros) snapshot {
	s.lastFailure = min(s.lastFailure, now)
	s.openSince = min(s.openSince, now)
	if ahead := s.openedAt - now; ahead > 0 {
		s.openedAt = now
		s.notBefore = max(s.notBefore-ahead, 0)
	}
	if s.notBefore > now+maxTrip {
		s.tripped = false
	}
	if !s.tripped {
		s.notBefore = min(s.notBefore, now+r.holdCap)
	}
	return s
}

// withoutHold is an open snapshot whose hold is over.
func (s snapshot) withoutHold() snapshot {
	s.openedAt, s.notBefore, s.tripped = 0, 0, false
	return s
}
