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

// countAttempt takes note of a failure and reports whether the item has no attempt left. Only a
// failure while others pass speaks against an item, so that an outage leaves the index and the
// order as they are: until something is delivered in this run, failures are on hold. A failure in a
// batch does not count against the item: another one may be what the listener chokes on.
func (r *run) countAttempt(d delivery, v transmit.Verdict, alone bool) (exhausted bool) {
	if !defers(v) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.attempt(d, v, alone && blames(v))
	if r.report.Delivered == 0 {
		r.onHold = append(r.onHold, a)
		return false
	}
	counted := r.cfg.Index.fail(a)
	return r.cfg.MaxAttempts > 0 && counted >= r.cfg.MaxAttempts
}

// attempt describes a failure.
func (r *run) attempt(d delivery, v transmit.Verdict, blamed bool) attempt {
	p := d.payload()
	return attempt{p.Name, len(p.Items), d.item().Key, r.now(), v.Status, blamed}
}

// countHeldLocked counts the failures that came before the first delivery of the run.
func (r *run) countHeldLocked() {
	for _, a := range r.onHold {
		r.cfg.Index.fail(a)
	}
	r.onHold = nil
}
