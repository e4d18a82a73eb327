package drain

import (
	"github.com/bitville-apm/spoolfwd/spool"
)

// A worker sends one request after the other: it claims a place among the
// requests in flight, gathers the parcels of one request, delivers them, and
// gives the place up again.
type worker struct {
	*run
	began   int  // era of the request
	turn    turn // taken, and not read yet; without a name there is none
	parcels []parcel
	size    int64    // bytes of the parcels
	buffers [][]byte // of payload files, reused from request to request
	body    []byte   // of batches
}

// A parcel is an item on its way.
type parcel struct {
	payload *spool.Payload
	index   int   // of the item in payload
	file    *file // the array file it is part of; nil: it is the whole file
}

func (p parcel) item() *spool.Item { return &p.payload.Items[p.index] }

// work sends requests until there is nothing to send, the run ends, or fewer
// may be in flight than there are workers. It is started again when more may.
func (r *run) work() {
	w := &worker{run: r}
	for w.claim() {
		w.gather()
		if len(w.parcels) > 0 {
			w.deliver(w.parcels)
		}
		w.reset()
		r.release()
	}
}

// claim takes a place among the requests in flight and the first thing to fill
// the request with.
func (w *worker) claim() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	j, ok := w.next()
	if !ok {
		w.workers--
		return false
	}
	w.inflight++
	w.began = w.era
	w.take(j)
	return true
}

// next finds the next job if it may be done now. The breaker is asked last, when
// there is a file to be read, because asking may make it half-open.
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

// release gives the place of a request free and starts as many workers as may
// now be busy.
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
