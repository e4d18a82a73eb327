package drain

import (
	"errors"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// fillRequest reads what was claimed and, when items are sent in batches, takes more until the
// request is full.
func (w *worker) fillRequest() {
	w.read()
	for w.r.cfg.batches() && w.takeMore() {
		w.read()
	}
}

// read takes a payload file in hand and adds its next item to the request. An array file that holds
// more items goes back to its place, where other workers find it.
func (w *worker) read() {
	place := w.unread
	if place.line == nil { // an item of a file in hand was taken
		return
	}
	w.unread = choice{}
	r := w.r
	p, err := r.cfg.Spool.Read(w.entry, r.now(), w.buffer())
	if err != nil {
		r.unreadable(p, err)
		w.putBuffer(p.Data)
		return
	}
	r.mu.Lock()
	f := newFileLocked(p, place, r.cfg.Index)
	f.cutAt = r.now()
	place.line.recallLocked(f)
	r.mu.Unlock()
	r.moveRefused(f)
	r.mu.Lock()
	r.reading--
	if f.isReadyLocked() {
		w.addLocked(f)
	}
	done := f.isDoneLocked()
	r.mu.Unlock()
	if done { // an empty array, or all of it was settled in earlier runs
		w.finishFile(f)
	}
}

// unreadable settles a file that has no items to send.
func (r *run) unreadable(p *spool.Payload, err error) {
	r.mu.Lock()
	r.reading--
	r.mu.Unlock()
	var refused *spool.RefuseError
	if errors.As(err, &refused) {
		r.reject(p, spool.Reason{Time: r.now(), Error: refused.Error()}, refused.Err.Error())
		return
	}
	var skipped *spool.SkipError
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.isLostLocked(p, err):
	case errors.As(err, &skipped):
		if skipped.Pending { // it is left like any other that this run could not send
			r.report.Unfinished++
			return
		}
		r.report.removeLeftLocked(p)
		r.report.Skipped.Add(*skipped)
	default:
		// The error is this machine's and speaks neither of the payload nor of the listener: the
		// file stays where it is, and the breaker hears nothing.
		r.report.addLocalErrorLocked(err)
		if transmit.OutOfResources(err) { // the next file would fail the same way
			r.haltLocked(LocalError)
		}
	}
}

// buffer takes a buffer for a payload file.
func (w *worker) buffer() []byte {
	if n := len(w.buffers); n > 0 {
		b := w.buffers[n-1]
		w.buffers = w.buffers[:n-1]
		return b
	}
	return nil
}

// maxKeptBuffer keeps rare large payload files from staying in the memory of every worker.
const maxKeptBuffer = 1 << 20

// putBuffer brings a buffer back.
func (w *worker) putBuffer(b []byte) {
	if cap(b) > 0 && cap(b) <= maxKeptBuffer {
		w.buffers = append(w.buffers, b)
	}
}
