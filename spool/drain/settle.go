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
		w.settleItem(d, w.r.apply(d, v, len(items) == 1))
	}
}

// settleItem records what became of an item, and does to its file what that makes due.
func (w *worker) settleItem(d delivery, became fate) {
	r, f := w.r, d.file
	r.mu.Lock()
	if became.goesAgain() && !f.payload.Array {
		f.place.line.putBackLocked(f.place.at, became)
		r.mu.Unlock()
		w.putBuffer(f.payload.Data)
		return
	}
	f.settleLocked(d.index, became)
	f.place.line.keepLocked(f)
	due := f.isCutDueLocked(r.now())
	if due {
		f.cutting = true
	}
	done := f.isDoneLocked()
	r.mu.Unlock()
	if due {
		done = r.cutOut(f)
	}
	if done {
		w.finishFile(f)
	}
}

// apply does to an item what the verdict demands, and returns its fate. A rejected one leaves the
// spool here; a delivered one leaves it with its file, so that an array file is rewritten once and
// not once per item. A failure of a batch says nothing of a single item: each is sent again in this
// run, alone.
func (r *run) apply(d delivery, v transmit.Verdict, alone bool) fate {
	switch v.Action {
	case transmit.Delivered:
		return delivered
	case transmit.Rejected:
		return r.moveToRejected(d, v)
	case transmit.Kept:
		if !alone {
			return batchFailed
		}
		if d.exhausted {
			return r.moveToRejected(d, v)
		}
		return failed
	}
	return undecided
}

// finishFile settles a file that is done and takes its buffer back.
func (w *worker) finishFile(f *file) {
	w.r.finishFile(f)
	w.putBuffer(f.payload.Data)
}

// cutOut rewrites an array file with the items that are left while some of them are still being
// sent, and reports whether the file is done by then. An error is not reported: finishFile tries
// again and reports its own.
func (r *run) cutOut(f *file) (done bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left, gone := f.splitLocked()
	if len(left) > 0 { // otherwise the last item was settled meanwhile, and the file is to be removed
		r.mu.Unlock()
		err := r.cfg.Spool.Rewrite(f.payload, left)
		r.mu.Lock()
		if err == nil {
			f.cut, r.unsynced = len(gone), true
		}
	}
	f.cutting, f.cutAt = false, r.now()
	return f.isDoneLocked()
}

// finishFile removes a file, or rewrites it with the items that are left, or leaves it. The file is
// done, or left over at the end of the run, so that nothing becomes of it while it is unlocked.
func (r *run) finishFile(f *file) {
	r.mu.Lock()
	left, gone := f.splitLocked()
	cut, isElsewhere := f.cut, !f.payload.Array && (f.fates[0] == rejected || f.fates[0] == lost)
	r.mu.Unlock()
	switch {
	case isElsewhere:
	case len(left) == 0:
		r.remove(f.payload, gone)
	case len(gone) > cut:
		r.rewrite(f.payload, left, gone)
	default:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.cfg.Index.keepOnlyLocked(f.payload, left, cut > 0)
	}
}

// remove removes a payload file all of whose items are gone.
func (r *run) remove(p *spool.Payload, gone []int) {
	err := r.cfg.Spool.Remove(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.report.Removed++
		r.unsynced = true
		r.forgetFileLocked(p)
	case r.isLostLocked(p, err):
	default:
		r.stuckLocked(p, gone, err)
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
		r.cfg.Index.keepOnlyLocked(p, left, true)
	case r.isLostLocked(p, err):
	default:
		r.stuckLocked(p, gone, err)
		r.cfg.Index.keepOnlyLocked(p, left, false)
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
		k, ok := r.cfg.Index.addDeliveredLocked(p.Name, p.Items[i].Key)
		known, room = known && k, room && ok
	}
	var errSave error
	if !known {
		errSave = r.saveIndexLocked()
	}
	r.report.addLocalErrorLocked(&StuckError{Err: err, Remembered: room && errSave == nil})
	r.report.addLocalErrorLocked(errSave)
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

// forgetFileLocked notes that a payload file is no longer in the spool.
func (r *run) forgetFileLocked(p *spool.Payload) {
	r.cfg.Index.forgetLocked(p.Name)
	r.report.removeLeftLocked(p)
}

// isLostLocked reports whether a step failed because somebody else has taken the payload file away
// or changed it meanwhile. The present content of a changed file was never sent, and stays.
func (r *run) isLostLocked(p *spool.Payload, err error) bool {
	switch {
	case errors.Is(err, spool.ErrVanished):
		r.report.Vanished++
		r.forgetFileLocked(p)
	case errors.Is(err, spool.ErrChanged):
		r.report.Changed++
		r.cfg.Index.forgetLocked(p.Name)
	default:
		return false
	}
	return true
}

// saveIndexLocked saves the index after making durable what has left the spool. The index forgets
// what was delivered of a file that is gone or rewritten. Were it on the disk first, a power cut
// could bring the file back to a run that knows nothing.
func (r *run) saveIndexLocked() error {
	if r.unsynced {
		err := r.cfg.Spool.Sync()
		r.report.addLocalErrorLocked(err)
		r.unsynced = err != nil
	}
	return r.cfg.Index.Save()
}
