package drain

import (
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// halve finds an item that makes the listener refuse a batch, by sending one half and going on with
// the half that is refused. Only an item that was refused alone is rejected, and it is the one
// failure that the breaker hears of: then, as after any failure, the next request comes from
// elsewhere. So a listener that refuses everything costs as many payloads as the breaker's
// threshold, whatever the size of a batch. Items of which nothing was learned go back to their
// files and into later requests of the run.
func (w *worker) halve(items []delivery, refused transmit.Verdict) {
	for i := range items {
		items[i].doubted = true
	}
	for {
		half, rest := items[:(len(items)+1)/2], items[(len(items)+1)/2:]
		v, again := w.try(half)
		switch {
		case again:
			w.putBack(rest)
			items, refused = half, v
			continue
		case v.Action != transmit.Delivered || len(rest) == 0:
			w.putBack(rest)
			return
		case refused.Status != 413:
			// The bad item must be in the rest, which need not be sent as it is.
			items = rest
			continue
		}
		// That does not hold for the size: both halves may be right.
		if v, again = w.try(rest); again {
			items, refused = rest, v
			continue
		}
		if v.Action == transmit.Delivered {
			w.learnSize(len(items))
		}
		return
	}
}

// doubtsLocked reports whether the refusal of a single item is not to be believed in this run. The
// item may have been part of a batch that was refused or got no answer. A listener that has taken a
// part of that batch all the same may now refuse the item because it knows it. Such refusals cost
// as many payloads in a run as the breaker's threshold, also when others pass in between. After
// that, the run sends all items alone, so that no more of them come into doubt, and keeps those in
// doubt. Later runs send them alone and believe the answer.
func (r *run) doubtsLocked(d delivery) bool {
	if !d.doubted {
		return false
	}
	r.doubted++
	most := r.cfg.Breaker.FailureThreshold()
	if r.doubted >= most {
		r.limit.endBatches()
	}
	return r.doubted > most
}

// try sends a part of a refused batch. again says that it was refused too and must be halved;
// otherwise the verdict was acted on. A run that is stopped sends nothing more.
func (w *worker) try(items []delivery) (v transmit.Verdict, again bool) {
	if w.ended() {
		w.putBack(items)
		return transmit.Verdict{Action: transmit.Aborted}, false
	}
	v = w.post(items)
	if v.Action == transmit.Rejected && len(items) > 1 {
		return v, true
	}
	w.countResult(v, items)
	w.settle(items, v)
	return v, false
}

// putBack puts items back that were part of a batch and of which nothing was learned.
func (w *worker) putBack(items []delivery) {
	w.settle(items, transmit.Verdict{Action: transmit.Aborted})
}

// learnSize notes that a request of so many items was too large, and that its halves were not.
func (w *worker) learnSize(items int) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	w.r.limit.tooLarge(items)
}

// ended reports whether the run is stopped.
func (w *worker) ended() bool {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	return w.r.endedLocked()
}
