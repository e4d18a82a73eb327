package drain

// claim takes a place among the requests in flight and the first thing to fill the request with.
func (w *worker) claim() bool {
	r := w.r
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.nextLocked()
	if !ok {
		r.workers--
		return false
	}
	r.inFlight++
	w.generation, w.number = r.limit.generation, r.limit.claim()
	w.latency = noLatency
	w.takeLocked(c)
	return true
}

// nextLocked chooses what comes next, if it may be sent now. The breaker is asked last, when there
// is something to send, because asking may make it half-open.
func (r *run) nextLocked() (choice, bool) {
	if r.endedLocked() || r.inFlight >= r.limit.requests {
		return choice{}, false
	}
	c, ok := r.chooseLocked()
	if !ok || r.inFlight > 0 && !r.limit.fits(r.loaded+c.sizeLocked()) {
		return choice{}, false
	}
	if r.atLimitLocked() {
		if r.inFlight == 0 { // otherwise a request in flight may turn out to send nothing
			r.haltLocked(Limit)
		}
		return choice{}, false
	}
	if !r.circuit.available() {
		r.haltLocked(BreakerOpen)
		return choice{}, false
	}
	return c, true
}

// takeMore takes another thing for the same request, if that has room for it.
func (w *worker) takeMore() bool {
	r := w.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(w.deliveries) >= r.limit.items || r.endedLocked() || r.atLimitLocked() {
		return false
	}
	c, ok := r.chooseLocked()
	if !ok {
		return false
	}
	full := r.cfg.BatchBytes > 0 && w.size+c.sizeLocked() > r.cfg.BatchBytes || !r.limit.fits(r.loaded+c.sizeLocked())
	if len(w.deliveries) > 0 && (full || c.goesAloneLocked() || w.deliveries[0].goesAlone) {
		return false
	}
	w.takeLocked(c)
	return true
}

// chooseLocked chooses what comes next: after a failure, from elsewhere in the spool.
func (r *run) chooseLocked() (choice, bool) {
	c, ok, err := r.queue.nextLocked(r.search, r.inFlight > 0)
	if err != nil {
		r.report.addLocalErrorLocked(err)
		r.haltLocked(LocalError)
	}
	return c, ok
}

// takeLocked takes what was chosen: the next item of a file in hand, or a file that is still to be
// read, which happens without the lock.
func (w *worker) takeLocked(c choice) {
	w.loaded += c.sizeLocked()
	w.r.loaded += c.sizeLocked()
	if f := c.fileLocked(); f != nil {
		w.addLocked(f)
		return
	}
	w.r.reading++
	c.line.waiting.remove(c.at)
	w.unread, w.entry = c, c.queuedLocked().Entry
}

// addLocked adds the next item of a file to the request.
func (w *worker) addLocked(f *file) {
	r := w.r
	i, was := f.takeLocked(r.search)
	if !was.goesAgain() {
		r.taken++
	}
	if was == batchFailed {
		r.report.removeFailedLocked()
	}
	f.place.line.keepLocked(f)
	d := delivery{file: f, index: i, goesAlone: f.attempts[i] > 0 || was == batchFailed, inDoubt: was.goesAgain()}
	w.deliveries = append(w.deliveries, d)
	w.size += int64(len(d.item().Body))
}
