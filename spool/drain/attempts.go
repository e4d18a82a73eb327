package drain

import (
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// An attempt is a failure that may speak against its item.
type attempt struct {
	name   string // of the payload file
	items  int    // in the file
	key    string
	at     time.Time
	status int
	blamed bool // it counts against the item
}

// defers reports whether a failure can send the item to the end of the queue. It can if the request
// has reached the listener, with an answer or without one, because then the payload itself may be
// the cause. A refused connection says nothing of the payload.
func defers(v transmit.Verdict) bool { return v.Status != 0 || v.Sent }

// blames reports whether a failure may count against the payload. 429 and 503 speak of the
// listener's load (RFC 6585, section 4; RFC 9110, section 15.6.4).
func blames(v transmit.Verdict) bool {
	return defers(v) && v.Status != 429 && v.Status != 503
}

// A heldAttempt is a failure of which it is not known yet whether it speaks against its item.
type heldAttempt struct {
	attempt
	file       *file
	generation int // the limit's after the failure: only requests of it or later ones began after that
}

// countFailureLocked takes note of the item of a request that failed, and marks it if it has no
// attempt left. A failure in a batch does not count against the item: another one may be what the
// listener chokes on.
//
// Only a failure while others pass speaks against an item. An outage can begin at any time, so the
// first failure of an item is on hold until a request that began after it is delivered. In an
// outage none is, and neither the index nor the order changes. An item that has failed in earlier
// runs goes last, so that nothing may be left to be delivered after it: a delivery before it is
// enough.
func (r *run) countFailureLocked(items []delivery, v transmit.Verdict) {
	if v.Action != transmit.Kept || !defers(v) || len(items) > 1 {
		return
	}
	d := &items[0]
	a := r.attemptOf(*d, v, blames(v))
	if r.report.Delivered == 0 || r.cfg.Index.attemptsLocked(a.name, a.key).Count == 0 {
		r.onHold = append(r.onHold, heldAttempt{a, d.file, r.limit.generation})
		return
	}
	counted := r.cfg.Index.addFailureLocked(a)
	d.exhausted = r.cfg.MaxAttempts > 0 && counted >= r.cfg.MaxAttempts
}

// countHeldLocked counts the failures on hold that were known when the requests of a generation
// began.
func (r *run) countHeldLocked(generation int) {
	held := r.onHold
	r.onHold = nil
	for _, h := range held {
		if h.generation > generation {
			r.onHold = append(r.onHold, h)
			continue
		}
		r.cfg.Index.addFailureLocked(h.attempt)
		if h.file.isDoneLocked() { // and may have been rewritten without the items that were delivered
			left, _ := h.file.splitLocked()
			r.cfg.Index.keepOnlyLocked(h.file.payload, left, false)
		}
	}
}

// countLastLocked decides at the end of the run about the failures that are still on hold. They are
// dropped, since they may be an outage's first. But if the run also began with failures on record,
// its deliveries stand between two rows of failures, and the first on hold counts: a bad payload
// that fails last in every run, or opens the breaker in every run, must be deferred some time.
func (r *run) countLastLocked() {
	if r.beganWith > 0 && r.report.Delivered > 0 && len(r.onHold) > 0 {
		r.onHold = r.onHold[:1]
		r.countHeldLocked(r.limit.generation)
	}
}

// attemptOf describes a failure.
func (r *run) attemptOf(d delivery, v transmit.Verdict, blamed bool) attempt {
	p := d.payload()
	return attempt{p.Name, len(p.Items), d.item().Key, r.now(), v.Status, blamed}
}
