package drain

import "time"

// limit is how much may be in flight: how many requests, and how many items in each. A run begins
// with one request of one item. Every good answer allows twice as many items in a request, and one
// request more, which doubles the number in flight per round trip. Any failure brings both back to
// one. The number of requests of an adaptive limit follows the listener's latency instead: see
// pace. It is a plain value that knows no lock, in a simulation as in a run.
type limit struct {
	requests, mostRequests int
	items, mostItems       int
	generation             int   // ends with every failure
	pace                   *pace // nil: requests grow up to the most
}

// maxBytesInFlight bounds the memory of requests under an adaptive limit: four payload files of the
// largest default size.
const maxBytesInFlight = 64 << 20

func newLimit(c Config) limit {
	l := limit{requests: 1, mostRequests: c.Concurrency, items: 1, mostItems: c.BatchItems}
	if c.Concurrency == 0 {
		l.mostRequests, l.pace = c.MaxConcurrency, newPace(c.MaxConcurrency)
	}
	return l
}

// fits reports whether requests may carry so many bytes together.
func (l *limit) fits(bytes int64) bool { return l.pace == nil || bytes <= maxBytesInFlight }

// claim takes note that a request was claimed, and returns its number.
func (l *limit) claim() (number int) {
	if l.pace == nil {
		return 0
	}
	return l.pace.claim()
}

// succeeded takes note of a good answer to a request of a generation. An answer to what was asked
// before the last failure says nothing about the time after it.
func (l *limit) succeeded(generation int) {
	if generation != l.generation {
		return
	}
	l.items = min(2*l.items, l.mostItems)
	if l.pace == nil {
		l.requests = min(l.requests+1, l.mostRequests)
	} else {
		l.pace.succeeded()
	}
}

// released takes note that a claimed request is over, after the latency of its answer, or
// noLatency.
func (l *limit) released(number int, latency time.Duration) {
	if l.pace != nil {
		l.requests = l.pace.released(number, latency, l.requests, l.mostRequests)
	}
}

// failed takes note of a failure, for which too many requests in flight may be the reason.
func (l *limit) failed(overload bool) {
	if l.pace != nil {
		l.pace.failed(l.requests, overload)
	}
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
