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
// leaves it with its file, so that an array file is rewritten once and not once per item.
func (r *run) fateOf(d delivery, v transmit.Verdict, alone bool) fate {
	switch v.Action {
	case transmit.Delivered:
		return delivered
	case transmit.Rejected:
		return r.setAside(d, v)
	case transmit.Kept:
		if r.countAttempt(d, v, alone) {
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
	left, gone := f.split()
	r.mu.Unlock()
	err := r.cfg.Spool.Rewrite(f.payload, left)
	r.mu.Lock()
	defer r.mu.Unlock()
	f.cutting, f.cutAt = false, r.now()
	if err == nil {
		f.cut, r.unsynced = len(gone), true
	}
	return f.isDone()
}

// finishFile removes a file, or rewrites it with the items that are left, or leaves it.
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

// reject moves a payload file to rejected/; why says what is wrong with one that was never sent.
// When that fails, the file stays in the spool: a payload that cannot be set aside must still be
// kept.
func (r *run) reject(p *spool.Payload, reason spool.Reason, why string) fate {
	err := r.cfg.Spool.Reject(p, reason)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.report.addRejected(Rejection{Name: p.Name, Attempts: reason.Attempts, Status: reason.Status, Why: why})
		r.goneLocked(p)
	case errors.Is(err, spool.ErrVanished):
		r.report.Vanished++
		r.goneLocked(p)
		return vanished
	case errors.Is(err, spool.ErrChanged):
		r.changedLocked(p)
		return vanished
	default:
		r.report.addLocalError(err)
		return failed
	}
	return rejected
}

// setAside moves an item that has just failed to rejected/. If that cannot be done, it is remembered
// as refused, since sending it again would have it refused again.
func (r *run) setAside(d delivery, v transmit.Verdict) fate {
	became := r.rejectItem(d, v)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch became {
	case rejected:
		r.report.Failed-- // it was counted there when its answer came
	case failed:
		if v.Action == transmit.Rejected { // otherwise the attempt is in the index already
			r.cfg.Index.fail(r.attempt(d, v, false))
		}
		r.cfg.Index.refuse(d.payload().Name, d.item().Key, v.Err)
	}
	return became
}

// moveRefused moves the items of a file to rejected/ that earlier runs could not move. Nobody else
// knows the file yet.
func (r *run) moveRefused(f *file) {
	for i, was := range f.fates {
		if was != refused {
			continue
		}
		d := delivery{f, i}
		r.mu.Lock()
		a := r.cfg.Index.attempts(f.payload.Name, d.item().Key)
		r.mu.Unlock()
		v := transmit.Verdict{Action: transmit.Kept, Status: a.Status, Err: errors.New(a.Error)}
		if r.rejectItem(d, v) == rejected {
			f.fates[i] = rejected
			f.gone++
		}
	}
}

// rejectItem moves an item's file to rejected/ or, if it is one of several in an array file, a copy
// of it. The copy allows the item to be cut out of its file.
func (r *run) rejectItem(d delivery, v transmit.Verdict) fate {
	p, reason := d.payload(), r.reason(d, v)
	if !p.Array {
		return r.reject(p, reason, "")
	}
	err := r.cfg.Spool.RejectItem(p, d.index, reason)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.report.addLocalError(err)
		return failed
	}
	r.report.addRejected(Rejection{Name: p.Name, Item: d.index + 1, Attempts: reason.Attempts, Status: reason.Status})
	return rejected
}

// reason is what rejected/ keeps of an item's history.
func (r *run) reason(d delivery, v transmit.Verdict) spool.Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	reason := spool.Reason{Key: d.item().Key, Time: r.now(), Attempts: 1, Status: v.Status, Answer: string(v.Excerpt)}
	if v.Err != nil {
		reason.Error = v.Err.Error()
	}
	if a := r.cfg.Index.attempts(d.payload().Name, d.item().Key); a.Count > 0 {
		reason.First = &a.First
		reason.Attempts = a.Count
		if v.Action == transmit.Rejected {
			reason.Attempts++ // this one is not in the index
		}
	}
	return reason
}

// goneLocked notes that a payload file is no longer in the spool.
func (r *run) goneLocked(p *spool.Payload) {
	r.cfg.Index.forget(p.Name)
	r.report.removeLeft(p)
}

// changedLocked notes that a producer changed a payload file while it was sent. What the file holds
// now was never sent, and stays.
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
