package drain

import (
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// halving looks for the items that make a listener refuse a batch, by sending halves. Only an item
// that was refused alone is rejected.
//
// For the breaker all refusals are one failure at most, once the listener has taken something of
// the batch. Before that every rejected item counts, so that a listener that wrongly refuses
// everything costs as many payloads as the breaker's threshold and not the whole batch. Any other
// failure ends the halving, and counts.
type halving struct {
	w         *worker
	status    int  // of the answer to the batch
	delivered bool // the listener has taken something of the batch
	counted   bool // the breaker has heard of a refusal
	tooLarge  bool // an item is too large by itself
	over      bool // what is left stays as it is
}

// halve finds out what is wrong with a refused batch.
func (w *worker) halve(items []delivery, v transmit.Verdict) {
	h := halving{w: w, status: v.Status}
	h.halves(items)
	if v.Status == 413 && !h.tooLarge {
		w.r.mu.Lock()
		w.r.limit.tooLarge(len(items))
		w.r.mu.Unlock()
	}
}

// halves sends both halves of a batch that was refused. When the first one is good, what is wrong
// must be in the second, which then need not be sent as it is. That does not hold for the size,
// which both halves may be right about.
func (h *halving) halves(items []delivery) {
	half := (len(items) + 1) / 2
	good := h.try(items[:half])
	second := items[half:]
	if good && h.status != 413 && len(second) > 1 && !h.over {
		h.halves(second)
		return
	}
	h.try(second)
}

// try sends a part of a batch and reports whether the listener took it.
func (h *halving) try(items []delivery) bool {
	if h.over || h.ended() {
		h.over = true
		// Nothing was learned about these: they count as not sent.
		h.w.settle(items, transmit.Verdict{Action: transmit.Aborted})
		return false
	}
	v := h.w.post(items)
	if v.Action == transmit.Rejected && len(items) > 1 {
		h.halves(items)
		return false
	}
	h.w.countResult(v, items, v.Action != transmit.Rejected || !h.counted || !h.delivered)
	h.w.settle(items, v)
	switch v.Action {
	case transmit.Delivered:
		h.delivered = true
		return true
	case transmit.Rejected:
		h.counted = true
		h.tooLarge = h.tooLarge || v.Status == 413
	default:
		h.over = true // now it is the listener that fails
	}
	return false
}

// ended reports whether the run is stopped.
func (h *halving) ended() bool {
	h.w.r.mu.Lock()
	defer h.w.r.mu.Unlock()
	return h.w.r.endedLocked()
}
