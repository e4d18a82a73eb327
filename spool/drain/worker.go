package drain

import (
	"errors"

	"github.com/bitville-apm/spoolfwd/spool"
)

// A job is what a worker takes at a time: a payload file's turn, or one item of
// an array file that has been read already.
type job struct {
	turn turn
	file *file // nil: the turn
	item int
}

// work takes jobs until there are none, the run ends, or fewer requests may be
// in flight than there are workers; it is started again when more may.
func (r *run) work() {
	var buf []byte // reused from file to file
	for {
		j, ok := r.claim()
		if !ok {
			return
		}
		if j.file != nil {
			r.sendItem(j.file, j.item)
		} else {
			buf = r.sendFile(j.turn, buf)
		}
		r.release()
	}
}

// claim takes the next job. The breaker is asked last, when there is something
// to send for certain, because asking may make it half-open.
func (r *run) claim() (job, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j, ok := r.next()
	if !ok {
		r.workers--
		return job{}, false
	}
	r.inflight++
	if j.file == nil {
		r.queue.take(j.turn)
	} else {
		j.item = j.file.take()
	}
	return j, true
}

func (r *run) next() (job, bool) {
	if r.stopped || r.inflight >= r.window {
		return job{}, false
	}
	if why, ended := r.ended(); ended {
		r.halt(why)
		return job{}, false
	}
	j, ok := r.look()
	if !ok {
		return job{}, false
	}
	if r.atLimit() {
		if r.inflight == 0 { // else a job in flight may turn out to send nothing
			r.halt(Limit)
		}
		return job{}, false
	}
	if !r.cfg.Breaker.Available(r.now()) {
		r.halt(BreakerOpen)
		return job{}, false
	}
	return j, true
}

// look finds the next job: items of array files that were begun come first,
// being older than what follows. Deferred turns begin when everything else is
// settled, because a file may have both and must be rewritten in between.
func (r *run) look() (job, bool) {
	for _, f := range r.files {
		if f.ready() {
			return job{file: f}, true
		}
	}
	t, ok, err := r.queue.peek()
	if err != nil {
		r.report.addFault(err)
		r.halt(Fault)
	}
	if ok && t.attempts > 0 && !r.deferred {
		if r.inflight > 0 {
			return job{}, false
		}
		r.deferred = true
	}
	return job{turn: t}, ok && err == nil
}

// release gives the place of a job free and starts as many workers as may now
// be busy.
func (r *run) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inflight--
	if r.stopped {
		return
	}
	for ; r.workers < r.window; r.workers++ {
		if _, ok := r.look(); !ok {
			return
		}
		r.wg.Go(r.work)
	}
}

// sendFile reads a payload file and sends it, or, if it is an array, hands its
// items to the workers. It returns the buffer to be used for the next file.
func (r *run) sendFile(t turn, buf []byte) []byte {
	p, err := r.cfg.Spool.Read(t.entry, r.now(), buf)
	switch {
	case err != nil:
		r.unreadable(p, err)
		return buf
	case !p.Array:
		r.sendOnly(p)
		return p.Data
	}
	f := newFile(p, r.cfg.Index, t.attempts > 0)
	r.mu.Lock()
	r.files = append(r.files, f)
	done := f.settled()
	r.mu.Unlock()
	if done { // nothing to send in this turn
		r.closeFile(f)
	}
	return nil // the items alias it
}

// unreadable settles a file that has no items to send.
func (r *run) unreadable(p *spool.Payload, err error) {
	var refused *spool.RefuseError
	if errors.As(err, &refused) {
		r.reject(p, spool.Reason{Time: r.now(), Error: refused.Error()})
		return
	}
	var skipped *spool.SkipError
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case errors.Is(err, spool.ErrVanished):
		r.report.Vanished++
		r.gone(p)
	case errors.As(err, &skipped):
		r.uncount(p)
		if !skipped.Pending {
			r.report.Skipped.Add(*skipped)
		}
	default:
		// This machine's fault, not the payload's nor the listener's: it stays
		// where it is and the breaker hears nothing.
		r.report.addFault(err)
		if exhausted(err) {
			r.halt(Fault)
		}
	}
}
