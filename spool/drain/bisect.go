package drain

import (
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// bisection looks for the items that make a listener refuse a batch, by sending
// halves. Only an item that was refused alone is rejected.
//
// For the breaker all its refusals are one failure at most, once the listener has
// taken something of the batch. Before, every rejected item counts, so that a
// listener that wrongly refuses everything costs as many payloads as the breaker's
// threshold and not the whole batch. Any other failure ends the bisection, and
// counts.
type bisection struct {
	*worker
	status    int  // of the answer to the batch
	delivered bool // the listener has taken something of it
	counted   bool // the breaker has heard of a refusal
	tooLarge  bool // so is one of its items, by itself
	over      bool // what is left stays as it is
}

// bisect finds out what is wrong with a refused batch.
func (w *worker) bisect(parcels []parcel, v transmit.Verdict) {
	b := bisection{worker: w, status: v.Status}
	b.halves(parcels)
	if v.Status == 413 && !b.tooLarge {
		// The rest of the run need not learn that again with every request.
		w.mu.Lock()
		w.maxBatch = max(1, min(w.maxBatch, len(parcels)/2))
		w.batch = min(w.batch, w.maxBatch)
		w.mu.Unlock()
	}
}

// halves sends both halves of a batch that was refused. When the first one is
// good, what is wrong must be in the second, which then need not be sent as it
// is; unless it was the size, which both halves may be right about.
func (b *bisection) halves(parcels []parcel) {
	half := (len(parcels) + 1) / 2
	good := b.try(parcels[:half])
	second := parcels[half:]
	if good && b.status != 413 && len(second) > 1 && !b.over {
		b.halves(second)
		return
	}
	b.try(second)
}

// try sends a part of a batch and reports whether the listener took it.
func (b *bisection) try(parcels []parcel) bool {
	if b.over || b.ending() {
		b.over = true
		// Nothing was found out about these: as if they had not been sent.
		b.settle(parcels, transmit.Verdict{Action: transmit.Aborted})
		return false
	}
	v := b.post(parcels)
	if v.Action == transmit.Rejected && len(parcels) > 1 {
		b.halves(parcels)
		return false
	}
	b.record(v, parcels, v.Action != transmit.Rejected || !b.counted || !b.delivered)
	b.settle(parcels, v)
	switch v.Action {
	case transmit.Delivered:
		b.delivered = true
		return true
	case transmit.Rejected:
		b.counted = true
		b.tooLarge = b.tooLarge || v.Status == 413
	default:
		b.over = true // now it is the listener that ails
	}
	return false
}

// ending reports whether the run is.
func (r *run) ending() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if why, ended := r.ended(); ended {
		r.halt(why)
	}
	return r.stopped
}
