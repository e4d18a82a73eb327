package drain

import (
	"errors"

	"github.com/bitville-apm/spoolfwd/spool"
)

// A job is what is taken at a time: a payload file's turn, or one item of an
// array file that has been read already.
type job struct {
	turn turn
	file *file // nil: the turn
}

func (j job) deferred() bool {
	if j.file != nil {
		return j.file.deferred[j.file.pending[0]]
	}
	return j.turn.attempts > 0
}

// size is how many bytes a job adds to a request; of an array file's turn, none
// of whose items is known yet, the whole file.
func (j job) size() int64 {
	if j.file != nil {
		return int64(len(j.file.payload.Items[j.file.pending[0]].Body))
	}
	return j.turn.entry.Size
}

// look finds the next job: items of array files that were begun come first,
// being older than what follows.
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
		return job{}, false
	}
	return job{turn: t}, ok
}

// take takes a job that look found. Under the lock it only notes which; a file
// is read by fill, outside of it.
func (w *worker) take(j job) {
	w.taken++
	if j.file == nil {
		w.queue.take(j.turn)
		w.turn = j.turn
		return
	}
	w.add(parcel{payload: j.file.payload, index: j.file.take(), file: j.file})
}

// gather reads what was claimed and, when items are sent in batches, adds more
// until the request is full. Deferred items go alone: in a batch, others would
// be blamed for what one of them does to the listener.
func (w *worker) gather() {
	w.fill()
	for w.more() {
		w.fill()
	}
}

// more takes another job for the same request.
func (w *worker) more() bool {
	if !w.cfg.batches() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.parcels) >= w.batch || w.stopped {
		return false
	}
	if _, ended := w.ended(); ended || w.atLimit() {
		return false
	}
	j, ok := w.look()
	if !ok || len(w.parcels) > 0 && (j.deferred() || w.cfg.BatchBytes > 0 && w.size+j.size() > w.cfg.BatchBytes) {
		return false
	}
	w.take(j)
	return true
}

// fill reads the payload file of the turn that was taken, if one was.
func (w *worker) fill() {
	if w.turn.entry.Name == "" {
		return
	}
	t := w.turn
	w.turn = turn{}
	p, err := w.cfg.Spool.Read(t.entry, w.now(), w.buffer())
	switch {
	case err != nil:
		w.unreadable(p, err)
		w.putBuffer(p.Data)
	case p.Array:
		w.begin(newFile(p, w.cfg.Index)) // its items alias the buffer
	case w.cfg.Index.delivered(p.Name, p.Items[0].Key):
		w.untake()
		w.remove(p)
		w.putBuffer(p.Data)
	default:
		w.add(parcel{payload: p})
	}
}

// begin lets the workers have an array file's items.
func (w *worker) begin(f *file) {
	w.mu.Lock()
	w.taken-- // the file; its items are taken one by one
	w.files = append(w.files, f)
	done := f.settled()
	w.mu.Unlock()
	if done { // nothing to send
		w.closeFile(f)
	}
}

func (w *worker) add(p parcel) {
	w.parcels = append(w.parcels, p)
	w.size += int64(len(p.item().Body))
}

// untake takes back that an item was taken: nothing of it will be sent.
func (r *run) untake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken--
}

// buffer takes a buffer for a payload file; reset and putBuffer bring it back.
func (w *worker) buffer() []byte {
	if n := len(w.buffers); n > 0 {
		b := w.buffers[n-1]
		w.buffers = w.buffers[:n-1]
		return b
	}
	return nil
}

func (w *worker) putBuffer(b []byte) {
	if cap(b) > 0 {
		w.buffers = append(w.buffers, b)
	}
}

// reset makes ready for the next request.
func (w *worker) reset() {
	for _, p := range w.parcels {
		if p.file == nil {
			w.putBuffer(p.payload.Data)
		}
	}
	clear(w.parcels)
	w.parcels, w.size = w.parcels[:0], 0
}

// unreadable settles a file that has no items to send.
func (r *run) unreadable(p *spool.Payload, err error) {
	r.untake()
	var refused *spool.RefuseError
	if errors.As(err, &refused) {
		r.reject(p, spool.Reason{Time: r.now(), Error: refused.Error()}, refused.Err.Error())
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
