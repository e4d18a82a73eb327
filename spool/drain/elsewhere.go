package drain

// A search is for something good among payloads that fail. It is a plain value that knows no lock.
type search struct {
	failures int // in succession, those of earlier runs included; of requests in flight together one
	found    int // the step at which the last search of this run found something good
}

// step says where in its sequence of places the search is. It goes on where something good was
// found last: the neighbours of that are likely to be good, too.
func (s search) step() int { return max(s.found, 1) + s.failures - 1 }

// succeeded ends the search.
func (s *search) succeeded() {
	if s.failures > 0 {
		*s = search{found: s.step()}
	}
}

// elsewhere returns which of n things in a row comes next: the first, as long as nothing fails, and
// after a failure one from elsewhere in the row. Bad payloads stand together, because they come
// from one producer or one minute. A failing listener fails everywhere. So a few failures in
// different places speak of the listener.
//
// Each place is a golden section of the row further than the one before. So the places spread over
// the row evenly, however many there will be. No other step is so far from every fraction, so that
// bad payloads in a regular pattern are not met again and again. Every fourth place is the youngest
// and every eighth one near it, since good payloads may have arrived meanwhile. Every seventh
// is the first, in case all the others are bad.
//
// The number of failures outlives the run, in the breaker's state. So probes do not try the same
// place twice in a row, and nothing else needs to be remembered for that.
func (s search) elsewhere(n int) int {
	others := n - 1
	switch {
	case others == 0 || s.failures%7 == 0:
		return 0
	case s.isForYoungest():
		return others
	case s.failures > 4 && s.failures%8 == 4:
		turn := s.failures/8 + 1
		return others - (turn&-turn)%others // before the youngest: 2 1 4 1 2 1 8 ...
	}
	const golden = 0x9e3779b9            // of 1<<32: 0.618
	section := uint32(s.step()) * golden // whole rows drop out
	return 1 + int(uint64(section)*uint64(others)>>32)
}

// isForYoungest reports whether the youngest comes next.
func (s search) isForYoungest() bool { return s.failures%4 == 2 }

// isForDeferred reports whether a deferred file comes next, before its time: everything else keeps
// failing, and the listener may take this one by now.
func (s search) isForDeferred() bool { return s.failures%14 == 7 }
