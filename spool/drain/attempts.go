package drain

import (
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// defers reports whether a failure sends the item to the end of the queue: the request has reached
// the listener, with an answer or without one, so the payload itself may be what it chokes on. A
// refused connection says nothing of the payload.
func defers(v transmit.Verdict) bool { return v.Status != 0 || v.Sent }

// blames reports whether a failure may count against the payload. 429 and 503 speak of the
// listener's load (RFC 6585, section 4; RFC 9110, section 15.6.4).
func blames(v transmit.Verdict) bool {
	return defers(v) && v.Status != 429 && v.Status != 503
}

// attemptOnHold is a failure that counts against its item only if other items are delivered in the
// same run, which is not known yet.
type attemptOnHold struct{ name, key string }

// countAttempt remembers a failure in the index and reports whether the item has no attempt left. A
// failure in a batch does not count against the item: another one may be what the listener chokes on.
func (r *run) countAttempt(d delivery, v transmit.Verdict, alone bool) (exhausted bool) {
	if !defers(v) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now, name, key := r.now(), d.payload().Name, d.item().Key
	a := r.cfg.Index.attempts(name, key)
	if a.Count == 0 {
		a.First = now
	}
	a.Count++
	a.Last, a.Status = now, v.Status
	switch {
	case !blames(v) || !alone:
	case r.report.Delivered > 0:
		a.Counted++
	default:
		r.waiting = append(r.waiting, attemptOnHold{name, key})
	}
	r.cfg.Index.fail(name, key, a)
	return r.cfg.MaxAttempts > 0 && a.Counted >= r.cfg.MaxAttempts
}

// countWaitingLocked counts, at the end of the run, the failures that came before the first
// delivery.
func (r *run) countWaitingLocked() {
	if r.report.Delivered == 0 {
		return
	}
	for _, a := range r.waiting {
		r.cfg.Index.count(a.name, a.key)
	}
}
