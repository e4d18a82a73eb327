package drain

import "github.com/bitville-apm/spoolfwd/spool/transmit"

// deliver sends items in one request and acts on the verdict.
func (w *worker) deliver(items []delivery) {
	if v, again := w.send(items); again {
		w.halve(items, v)
	}
}

// send makes one request of items and acts on the verdict. But of a batch that is refused, or taken
// in part, nothing more is known: again says that it is to be halved.
func (w *worker) send(items []delivery) (v transmit.Verdict, again bool) {
	v = w.post(items)
	if (v.Action == transmit.Rejected || v.Partly) && len(items) > 1 {
		return v, true
	}
	w.countResult(v, items)
	w.settle(items, v)
	return v, false
}

// post makes one request of the items.
func (w *worker) post(items []delivery) transmit.Verdict {
	r := w.r
	request := w.request(items)
	request.Host = r.cfg.Spool.HostID()
	v := r.cfg.Transmitter.Send(r.sendCtx, request)
	if request.ContentType != "" && v.Status == 415 && v.Action == transmit.Rejected {
		v.Action = transmit.Kept // the listener does not take the format of the request, and no payload is to blame
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.latency = v.Latency
	if v.Action == transmit.Rejected && len(items) == 1 && r.doubtsLocked(items[0]) {
		v.Action = transmit.Kept
	}
	if v.Action != transmit.Aborted {
		r.report.Requests++
		if r.report.Statuses == nil {
			r.report.Statuses = map[int]int{}
		}
		r.report.Statuses[v.Status]++
	}
	return v
}

// request puts the items into the form that the listener takes.
func (w *worker) request(items []delivery) transmit.Request {
	first := items[0]
	switch cfg := w.r.cfg; {
	case cfg.batches():
		return w.batchRequest(items)
	case cfg.BatchFormat == CloudEvents:
		return w.eventRequest(first)
	}
	return transmit.Request{Body: first.item().Body, Key: first.item().Key, Name: first.payload().Name}
}

// countResult notes in the report how a request went and tells the breaker and the limit.
func (w *worker) countResult(v transmit.Verdict, items []delivery) {
	r := w.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped && r.report.Stop == BreakerOpen {
		r.report.LateResults++
	}
	var size int64
	for _, d := range items {
		size += int64(len(d.item().Body))
	}
	r.bytes += size
	switch v.Action {
	case transmit.Aborted:
		r.report.addLocalErrorLocked(v.Err)
		r.haltLocked(LocalError)
		return
	case transmit.Delivered:
		r.countHeldLocked(w.generation)
		r.report.Delivered += len(items)
		r.report.DeliveredBytes += size
		if v.WebPage {
			r.report.WebPages += len(items)
		}
		r.succeededLocked(w.generation, v)
	default:
		r.report.Failed += len(items)
		r.report.addErrorLocked(v.Err, v.Status)
		r.report.LastFailure = failureOf(items[0], v.Err)
		r.failedLocked(w.generation, v)
		r.countFailureLocked(items, v)
	}
	if r.cfg.Progress != nil {
		r.cfg.Progress(r.report)
	}
}

func (r *run) succeededLocked(generation int, v transmit.Verdict) {
	if generation == r.limit.generation { // was asked after the last failure was known
		r.search.succeeded()
	}
	r.untold = 0
	r.limit.succeeded(generation)
	r.circuit.record(v)
}

func (r *run) failedLocked(generation int, v transmit.Verdict) {
	isLate := generation != r.limit.generation // was asked before the last failure was known
	r.limit.failed(overloaded(v) && !isLate)
	// Requests that were in flight together are neighbours in the spool, and bad payloads stand
	// together. So the breaker does not hear of what ends after the first failure among them. It
	// opens when requests from as many places as its threshold fail in succession. Where nothing is
	// left that could tell, it hears of them at the end of the run. A listener that asks to be left
	// alone gets no request more.
	if isLate && v.RetryAfter == 0 {
		r.untold++
		return
	}
	if !isLate {
		r.search.failures++
	}
	r.tellBreakerLocked(v)
}

// tellUntoldLocked tells the breaker of the failures that were kept from it.
func (r *run) tellUntoldLocked() {
	for ; r.untold > 0; r.untold-- {
		r.tellBreakerLocked(transmit.Verdict{Action: transmit.Kept})
	}
}

// tellBreakerLocked tells the breaker of one failure, and stops the run if that opens the breaker.
func (r *run) tellBreakerLocked(failed transmit.Verdict) {
	r.circuit.record(failed)
	// A breaker that is open already is not asked again: a late result may come after the retry
	// timeout, and asking would make the breaker half-open without a probe.
	if !r.stopped && !r.circuit.available() {
		r.haltLocked(BreakerOpen)
	}
}

// overloaded reports whether a failure may come of too many requests at once: there was no answer,
// or one that speaks of load, or that of a proxy that got none.
func overloaded(v transmit.Verdict) bool {
	return v.Status == 0 || v.Status == 429 || v.Status > 500
}
