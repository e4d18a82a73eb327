package drain

import "github.com/bitville-apm/spoolfwd/spool/transmit"

// halve finds an item that makes the listener refuse a batch, or take only a part of it, by sending
// one half and going on with the half that is refused. Only an item that was refused alone is
// rejected, and one that was not taken alone is kept. It is the one failure that the breaker hears
// of: then, as after any failure, the next request comes from elsewhere. So a listener that refuses
// everything costs as many payloads as the breaker's threshold, whatever the size of a batch. Items
// of which nothing was learned go back to their files and into later requests of the run.
func (w *worker) halve(items []delivery, refused transmit.Verdict) {
	for i := range items {
		items[i].inDoubt = true
	}
	for {
		half, rest := items[:(len(items)+1)/2], items[(len(items)+1)/2:]
		v, again := w.sendPart(half)
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
		// A batch may be too large although both of its halves are good.
		if v, again = w.sendPart(rest); again {
			items, refused = rest, v
			continue
		}
		if v.Action == transmit.Delivered {
			w.r.mu.Lock()
			w.r.limit.tooLarge(len(items))
			w.r.mu.Unlock()
		}
		return
	}
}

// sendPart sends a part of a refused batch, unless the run is stopped.
func (w *worker) sendPart(items []delivery) (v transmit.Verdict, again bool) {
	w.r.mu.Lock()
	ended := w.r.endedLocked()
	w.r.mu.Unlock()
	if ended {
		w.putBack(items)
		return transmit.Verdict{Action: transmit.Aborted}, false
	}
	return w.send(items)
}

// putBack puts items back that were part of a batch and of which nothing was learned.
func (w *worker) putBack(items []delivery) {
	for _, d := range items {
		w.settleItem(d, undecided)
	}
}

// doubtsLocked counts the refusal of a single item in doubt, and reports whether it is not to be
// believed in this run. An item is in doubt if it was part of a batch that was refused or got no
// answer: a listener that took a part of that batch all the same may refuse the item now because it
// is known. Such refusals cost as many payloads in a run as the breaker's threshold, also when
// others pass in between. After that, the run sends all items alone, so that no more of them come
// into doubt, and keeps those in doubt. Later runs send them alone and believe the answer.
func (r *run) doubtsLocked(d delivery) bool {
	if !d.inDoubt {
		return false
	}
	r.doubted++
	most := r.cfg.Breaker.FailureThreshold()
	if r.doubted >= most {
		r.limit.endBatches()
	}
	return r.doubted > most
}
