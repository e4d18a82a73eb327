package drain

import (
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// defers reports whether a failure sends the item to the end of the queue: the
// request has reached the listener, so the payload itself may be what it chokes
// on, with an answer or without one. A refused connection says nothing of the
// payload.
func defers(v transmit.Verdict) bool { return v.Status != 0 || v.Sent }

// blames reports whether a failure may count against the payload. 429 and 503
// speak of the listener's load (RFC 6585, section 4; RFC 9110, section 15.6.4).
func blames(v transmit.Verdict) bool {
	return defers(v) && v.Status != 429 && v.Status != 503
}

// exhaustedAttempts remembers a failure in the index and reports whether it was
// the last one that the item had.
func (r *run) exhaustedAttempts(p parcel, v transmit.Verdict) bool {
	if !defers(v) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	a := r.cfg.Index.attempts(p.payload.Name, p.item().Key)
	if a.Count == 0 {
		a.First = now
	}
	a.Count++
	a.Last, a.Status = now, v.Status
	switch {
	case !blames(v):
	case r.report.Delivered > 0:
		a.Counted++
	default:
		r.waiting = append(r.waiting, pendingAttempt{p.payload.Name, p.item().Key})
	}
	r.cfg.Index.fail(p.payload.Name, p.item().Key, a)
	return r.cfg.MaxAttempts > 0 && a.Counted >= r.cfg.MaxAttempts
}
