package drain

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// settle acts on the verdict for each item.
func (w *worker) settle(items []delivery, v transmit.Verdict) {
	for _, d := range items {
		w.land(d, w.r.fateOf(d, v, len(items) == 1))
	}
}

// land records what became of an item, and does to its file what that makes due.
func (w *worker) land(d delivery, became fate) {
	r, f := w.r, d.file
	r.mu.Lock()
	if became.isBack() && !f.payload.Array {
		f.place.line.giveBack(f.place.at, became)
		r.mu.Unlock()
		w.putBuffer(f.payload.Data)
		return
	}
	f.land(d.index, became)
	f.place.line.hold(f)
	due := f.isCutDue(r.now())
	if due {
		f.cutting = true
	}
	done := f.isDone()
	r.mu.Unlock()
	if due {
		done = r.cutOut(f)
	}
	if done {
		w.finish(f)
	}
}

// fateOf decides what becomes of an item. A rejected one leaves the spool here; a delivered one
// leaves it with its file, so that an array file is rewritten once and not once per item. A failure
// of a batch says nothing of a single item: each is sent again in this run, alone.
func (r *run) fateOf(d delivery, v transmit.Verdict, alone bool) fate {
	switch v.Action {
	case transmit.Delivered:
		return delivered
	case transmit.Rejected:
		return r.setAside(d, v)
	case transmit.Kept:
		if !alone {
			return goesAlone
		}
		if d.exhausted {
			return r.setAside(d, v)
		}
		return failed
	}
	return givenBack
}

// finish settles a file that is done and takes its buffer back.
func (w *worker) finish(f *file) {
	w.r.finishFile(f)
	w.putBuffer(f.payload.Data)
}

// cutOut rewrites an array file with the items that are left while some of them are still being
// sent, and reports whether the file is done by then. When that fails, nothing is lost but the
// protection: the end of the file tries again and tells.
func (r *run) cutOut(f *file) (done bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left, gone := f.split()
	if len(left) > 0 { // otherwise the last item has landed meanwhile, and the file is to be removed
		r.mu.Unlock()
		err := r.cfg.Spool.Rewrite(f.payload, left)
		r.mu.Lock()
		if err == nil {
			f.cut, r.unsynced = len(gone), true
		}
	}
	f.cutting, f.cutAt = false, r.now()
	return f.isDone()
}

// finishFile removes a file, or rewrites it with the items that are left, or leaves it. It reads
// the file without the lock: a file that is done, or left over at the end of the run, is not
// written to any more.
func (r *run) finishFile(f *file) {
	left, gone := f.split()
	switch {
	case !f.payload.Array && (f.fates[0] == rejected || f.fates[0] == vanished): // it was dealt with as a whole
	case len(left) == 0:
		r.remove(f.payload)
	case len(gone) > f.cut:
		r.rewrite(f.payload, left, gone)
	default:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.cfg.Index.keepOnly(f.payload, left, f.cut > 0)
	}
}

// remove removes a payload file all of whose items are delivered or rejected.
func (r *run) remove(p *spool.Payload) {
	err := r.cfg.Spool.Remove(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.report.Removed++
		r.unsynced = true
		r.goneLocked(p)
	case errors.Is(err, spool.ErrChanged):
		r.changedLocked(p)
	default:
		all := make([]int, len(p.Items))
		for i := range all {
			all[i] = i
		}
		r.stuckLocked(p, all, err)
	}
}

// rewrite cuts the items that are gone out of an array file.
func (r *run) rewrite(p *spool.Payload, left, gone []int) {
	err := r.cfg.Spool.Rewrite(p, left)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.unsynced = true
		r.cfg.Index.keepOnly(p, left, true)
	case errors.Is(err, spool.ErrVanished):
		r.report.Vanished++
		r.goneLocked(p)
	case errors.Is(err, spool.ErrChanged):
		r.changedLocked(p)
	default:
		r.stuckLocked(p, gone, err)
		r.cfg.Index.keepOnly(p, left, false)
	}
}

// stuckLocked remembers items that are delivered or rejected and are still in their file, which
// could not be removed or rewritten. The first time that happens to a file the run stops, because
// nothing says that the next file can be removed. The index is saved at once, before a crash can
// make the next run send the items again. Later runs only try the removal again, and go on. A full
// disk, which a rewrite can run into, does not stop the run: deliveries make room.
func (r *run) stuckLocked(p *spool.Payload, items []int, err error) {
	known, room := true, true
	for _, i := range items {
		k, ok := r.cfg.Index.addDelivered(p.Name, p.Items[i].Key)
		known, room = known && k, room && ok
	}
	var errSave error
	if !known {
		errSave = r.saveIndexLocked()
	}
	r.report.addLocalError(&StuckError{Err: err, Remembered: room && errSave == nil})
	r.report.addLocalError(errSave)
	isFull := errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
	if !known && !(room && isFull) {
		r.haltLocked(LocalError)
	}
}

// A StuckError says that a payload file could not be removed or rewritten although items of it are
// delivered.
type StuckError struct {
	Err        error // names the file
	Remembered bool  // the index knows the items; otherwise they may be sent again, under the same keys
}

func (e *StuckError) Error() string { return e.Err.Error() }
func (e *StuckError) Unwrap() error { return e.Err }

// goneLocked notes that a payload file is no longer in the spool.
func (r *run) goneLocked(p *spool.Payload) {
	r.cfg.Index.forget(p.Name)
	r.report.removeLeft(p)
}

// changedLocked notes that a producer changed a payload file while it was sent. Its present content
// was never sent, and stays.
func (r *run) changedLocked(p *spool.Payload) {
	r.report.Changed++
	r.cfg.Index.forget(p.Name)
}

// saveIndexLocked saves the index after making durable what has left the spool. The index forgets
// what was delivered of a file that is gone or rewritten. Were it on the disk first, a power cut
// could bring the file back to a run that knows nothing.
func (r *run) saveIndexLocked() error {
	if r.unsynced {
		err := r.cfg.Spool.Sync()
		r.report.addLocalError(err)
		r.unsynced = err != nil
	}
	return r.cfg.Index.Save()
}
