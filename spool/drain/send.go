package drain

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// deliver sends parcels in one request and acts on the verdict.
func (w *worker) deliver(parcels []parcel) {
	v := w.post(parcels)
	if v.Action == transmit.Rejected && len(parcels) > 1 {
		w.bisect(parcels, v)
		return
	}
	w.record(v, parcels, true)
	w.settle(parcels, v)
}

// post makes one request of the parcels.
func (w *worker) post(parcels []parcel) transmit.Verdict {
	item := parcels[0].item()
	request := transmit.Request{Body: item.Body, Key: item.Key}
	if w.cfg.batches() {
		request = w.batchRequest(parcels)
	}
	v := w.cfg.Transmitter.Send(w.send, request)
	if w.cfg.batches() && v.Status == 415 && v.Action == transmit.Rejected {
		// It is the batch's format that the listener does not take, and no
		// payload's fault.
		v.Action = transmit.Kept
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.Action != transmit.Aborted {
		w.report.Requests++
		if w.report.Statuses == nil {
			w.report.Statuses = map[int]int{}
		}
		w.report.Statuses[v.Status]++
	}
	return v
}

// record notes in the report how a request went and, unless it speaks for
// another one, tells the breaker and changes how much may be in flight.
func (w *worker) record(v transmit.Verdict, parcels []parcel, counts bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped && w.report.Stop == BreakerOpen {
		w.report.Late++
	}
	var size int64
	for _, p := range parcels {
		size += int64(len(p.item().Body))
	}
	w.bytes += size
	switch v.Action {
	case transmit.Aborted:
		w.report.addFault(v.Err)
		w.halt(Fault)
		return
	case transmit.Delivered:
		w.report.Delivered += len(parcels)
		w.report.DeliveredBytes += size
		w.succeeded(w.era == w.began)
	default:
		w.report.Failed += len(parcels)
		w.report.addError(v.Err, v.Status)
		if counts {
			w.failed(v)
		}
	}
	if w.cfg.Progress != nil {
		w.cfg.Progress(w.report)
	}
}

// succeeded lets one more request in flight and twice as many items into each,
// if the request was begun after the last failure: what was asked before says
// nothing about the time after it.
func (r *run) succeeded(fresh bool) {
	if fresh {
		r.window = min(r.window+1, r.cfg.Concurrency)
		r.batch = min(2*r.batch, r.maxBatch)
	}
	// A recovery that cannot be saved costs a superfluous probe in the next run.
	// Deliveries go on: they are what frees a full disk.
	r.report.addFault(r.cfg.Breaker.RecordSuccess(r.now()))
}

func (r *run) failed(v transmit.Verdict) {
	r.window, r.batch = 1, 1
	r.era++
	now := r.now()
	if err := r.cfg.Breaker.RecordFailure(now, v.RetryAfter); err != nil {
		// A breaker that cannot remember must not hammer.
		r.report.addFault(err)
		r.halt(Fault)
	}
	// Not asked again once it is open: a late result may come after the retry
	// timeout, and asking would make the breaker half-open for no probe.
	if !r.stopped && !r.cfg.Breaker.Available(now) {
		r.halt(BreakerOpen)
	}
}

// settle acts on the verdict for each parcel.
func (r *run) settle(parcels []parcel, v transmit.Verdict) {
	for _, p := range parcels {
		if p.file == nil {
			r.settleOnly(p, v)
		} else {
			r.settleItem(p, v)
		}
	}
}

// settleOnly acts on the verdict for a payload file that is one item.
func (r *run) settleOnly(p parcel, v transmit.Verdict) {
	switch v.Action {
	case transmit.Delivered:
		r.remove(p.payload)
	case transmit.Rejected:
		r.reject(p.payload, r.reason(p, v), "")
	case transmit.Kept:
		if r.exhaustedAttempts(p, v) {
			r.reject(p.payload, r.reason(p, v), "")
		}
	}
}

// settleItem acts on the verdict for an item of an array file. The file itself
// is settled when all of it was sent, so that it is rewritten once and not once
// per item.
func (r *run) settleItem(p parcel, v transmit.Verdict) {
	state := failed
	switch v.Action {
	case transmit.Delivered:
		state = delivered
	case transmit.Rejected:
		state = r.rejectItem(p, v)
	case transmit.Kept:
		if r.exhaustedAttempts(p, v) {
			state = r.rejectItem(p, v)
		}
	case transmit.Aborted:
		state = untouched
	}
	r.mu.Lock()
	p.file.land(p.index, state)
	over := p.file.settled()
	r.mu.Unlock()
	if over {
		r.closeFile(p.file)
	}
}

// exhausted reports whether an error means that this machine has run out of
// something, so that whatever is tried next fails the same way.
func exhausted(err error) bool {
	for _, no := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}
