package drain

// limit is how much may be in flight: how many requests, and how many items in each. A run begins
// with one request of one item. Every good answer allows one request more, which doubles the number
// in flight per round trip, and twice as many items in each. Any failure brings both back to one.
type limit struct {
	requests, mostRequests int
	items, mostItems       int
	generation             int // ends with every failure
}

func newLimit(mostRequests, mostItems int) limit {
	return limit{requests: 1, mostRequests: mostRequests, items: 1, mostItems: mostItems}
}

// succeeded takes note of a good answer to a request of a generation. An answer to what was asked
// before the last failure says nothing about the time after it.
func (l *limit) succeeded(generation int) {
	if generation == l.generation {
		l.requests = min(l.requests+1, l.mostRequests)
		l.items = min(2*l.items, l.mostItems)
	}
}

func (l *limit) failed() {
	l.requests, l.items = 1, 1
	l.generation++
}

// endBatches lets every request of the rest of the run hold one item.
func (l *limit) endBatches() { l.items, l.mostItems = 1, 1 }

// tooLarge takes note that a request of so many items was too large for the listener, so that the
// rest of the run need not find that out again.
func (l *limit) tooLarge(items int) {
	l.mostItems = max(1, min(l.mostItems, items/2))
	l.items = min(l.items, l.mostItems)
}
