package drain

import "time"

// A pace sets the limit of requests by the listener's latency, since a request that waits in a
// queue there gains nothing. It compares the latency of late with the least there was, as TCP Vegas
// does (Brakmo and Peterson, 1995) and the gradient of github.com/Netflix/concurrency-limits.
//
// It goes by rounds. A round is as many requests as the limit allows: those in flight when it was
// set, and the next ones. It ends when all of them are over, so that requests that hang keep the
// limit from growing. While the latency is tolerable, the limit doubles up to a few requests and
// then grows by a few in each round. A listener that refuses all that is too many refuses no more
// than these, which are fewer than the failures that open a breaker by default. Otherwise the limit
// shrinks in proportion, down to a few. With so few requests there is next to no queue, and their
// latency becomes the least even if the listener was faster once. A pace is a plain value that
// knows no lock, as its limit.
type pace struct {
	claimed int // requests so far; their numbers begin with 0
	over    int // of them
	end     int // requests from this number on are not of this round
	waiting int // requests of this round that are not over
	begin   int // requests before this number were claimed before the last failure
	samples int // answers in this round to requests since then
	sum     time.Duration

	least time.Duration // mean latency of a round
	safe  int           // the limit does not grow above it
	good  int           // good answers since safe was last raised
}

const (
	fewRequests = 4
	noLatency   = time.Duration(-1)

	// goodAfterOverload is how many good answers make one request more safe.
	goodAfterOverload = 1000
)

func newPace(most int) *pace { return &pace{end: 1, waiting: 1, safe: most} }

func (p *pace) claim() (number int) {
	p.claimed++
	return p.claimed - 1
}

// released takes note that a request is over, and returns the new limit.
func (p *pace) released(number int, latency time.Duration, limit, most int) int {
	p.over++
	if number >= p.end {
		return limit
	}
	if number >= p.begin && latency != noLatency {
		p.samples++
		p.sum += latency
	}
	if p.waiting--; p.waiting > 0 {
		return limit
	}
	if p.samples > 0 {
		limit = p.judge(p.sum/time.Duration(p.samples), limit, most)
	}
	p.newRound(limit)
	return limit
}

// judge returns the limit that follows from the mean latency of a round. A third and a millisecond
// may come from other reasons than a queue: in listeners so near, the scheduling of processes
// decides.
func (p *pace) judge(latency time.Duration, limit, most int) int {
	if limit <= fewRequests || latency < p.least {
		p.least = latency
	}
	tolerable := p.least*4/3 + time.Millisecond
	if latency > tolerable {
		return max(fewRequests, int(float64(limit)*float64(tolerable)/float64(latency)))
	}
	return max(limit, min(limit+min(limit, fewRequests), p.safe, most))
}

func (p *pace) newRound(limit int) {
	inFlight := p.claimed - p.over
	p.waiting = max(limit, inFlight)
	p.end = p.claimed + p.waiting - inFlight
	p.samples, p.sum = 0, 0
}

// succeeded takes note of a good answer.
func (p *pace) succeeded() {
	if p.good++; p.good == goodAfterOverload {
		p.good = 0
		p.safe++
	}
}

// failed takes note of a failure at a limit, for which overload may be the reason. The limit of the
// round before is safe, and the way up from there is long: what the listener refuses stays in the
// spool until the next run.
func (p *pace) failed(limit int, overload bool) {
	if overload && limit > fewRequests {
		p.safe, p.good = max(limit-fewRequests, fewRequests), 0
	}
	p.begin = p.claimed
	p.newRound(1)
}
