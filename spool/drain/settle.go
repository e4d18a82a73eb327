package drain

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// remove removes a payload file all of whose items are delivered.
func (r *run) remove(p *spool.Payload) {
	err := r.cfg.Spool.Remove(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.report.Removed++
		r.unsynced = true
		r.gone(p)
	case errors.Is(err, spool.ErrChanged):
		r.changed(p)
	default:
		r.remember(p, allItems(p), err)
	}
}

// remember notes items that have had their 2xx, or are in rejected/, but are still
// in their file too. The first time that happens to a file the run stops: nothing
// says that the next file can be removed. The index is saved at once, before a
// crash can make the next run send them again. Later runs only try the removal
// again, and go on. A full disk, which a rewrite can run into, does not stop the
// run: deliveries are what makes room.
func (r *run) remember(p *spool.Payload, items []int, err error) {
	known, room := true, true
	for _, i := range items {
		k, ok := r.cfg.Index.addDelivered(p.Name, p.Items[i].Key)
		known, room = known && k, room && ok
	}
	var errSave error
	if !known {
		errSave = r.saveIndex()
	}
	again := "will not be sent again"
	if !room || errSave != nil {
		again = "may be sent again, under the same keys"
	}
	r.report.addFault(fmt.Errorf("%w\nwhat is delivered of it %s", err, again))
	r.report.addFault(errSave)
	if known {
		return
	}
	if !room || !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		r.halt(Fault)
	}
}

// gone notes that a payload file is no longer in the spool.
func (r *run) gone(p *spool.Payload) {
	r.cfg.Index.forget(p.Name)
	r.uncount(p)
}

// uncount takes a file out of what is left to send: it is gone, or is none of
// the payload files that can be sent.
func (r *run) uncount(p *spool.Payload) {
	if r.report.Left > 0 {
		r.report.Left--
		r.report.LeftBytes -= p.Size
	}
}

// changed notes that a producer changed a payload file while it was sent: what
// it holds now was never sent and stays.
func (r *run) changed(p *spool.Payload) {
	r.report.Changed++
	r.cfg.Index.forget(p.Name)
}

// reject moves a payload file to rejected/; why says what is wrong with one that
// was never sent. When that fails it stays in the spool: a payload that cannot be
// set aside is still one to keep.
func (r *run) reject(p *spool.Payload, reason spool.Reason, why string) {
	err := r.cfg.Spool.Reject(p, reason)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.report.addRejected(Rejection{Name: p.Name, Attempts: reason.Attempts, Status: reason.Status, Why: why})
		r.gone(p)
	case errors.Is(err, spool.ErrVanished):
		r.report.Vanished++
		r.gone(p)
	case errors.Is(err, spool.ErrChanged):
		r.changed(p)
	default:
		r.report.addFault(err)
	}
}

// rejectItem copies an item to rejected/ and returns its state: the copy is what
// allows it to be cut out of its file.
func (r *run) rejectItem(p parcel, v transmit.Verdict) itemState {
	reason := r.reason(p, v)
	err := r.cfg.Spool.RejectItem(p.payload, p.index, reason)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.report.addFault(err)
		return failed
	}
	r.report.addRejected(Rejection{Name: p.payload.Name, Item: p.index + 1, Attempts: reason.Attempts, Status: reason.Status})
	return rejected
}

func (r *run) reason(p parcel, v transmit.Verdict) spool.Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	reason := spool.Reason{Key: p.item().Key, Time: r.now(), Attempts: 1, Status: v.Status, Answer: string(v.Excerpt)}
	if v.Err != nil {
		reason.Error = v.Err.Error()
	}
	if a := r.cfg.Index.attempts(p.payload.Name, p.item().Key); a.Count > 0 {
		reason.First = &a.First
		reason.Attempts = a.Count
		if v.Action == transmit.Rejected {
			reason.Attempts++ // this one is not in the index
		}
	}
	return reason
}

// closeFile ends what this run does to an array file.
func (r *run) closeFile(f *file) {
	r.mu.Lock()
	mine := !f.closed
	f.closed = true
	for i := range r.files {
		if r.files[i] == f {
			r.files = append(r.files[:i:i], r.files[i+1:]...)
			break
		}
	}
	r.mu.Unlock()
	if mine {
		r.settleFile(f)
	}
}

// settleFile removes or rewrites an array file, if anything in it is delivered
// or rejected, and brings its deferred items into the index.
func (r *run) settleFile(f *file) {
	p := f.payload
	left, shrunk := f.left()
	if len(left) == 0 {
		r.remove(p)
		return
	}
	if shrunk {
		err := r.cfg.Spool.Rewrite(p, left)
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case errors.Is(err, spool.ErrVanished):
			r.report.Vanished++
			r.gone(p)
			return
		case errors.Is(err, spool.ErrChanged):
			r.changed(p)
			return
		case err != nil:
			r.remember(p, f.done(), err)
			r.cfg.Index.keepOnly(p, left, false)
			return
		}
		r.unsynced = true
	}
	r.cfg.Index.keepOnly(p, left, shrunk)
}

// saveIndex saves the index after making durable what has left the spool: the index
// forgets what was delivered of a file that is gone or rewritten, and were it
// overtaken, a power cut could bring the file back to a run that knows nothing.
func (r *run) saveIndex() error {
	if r.unsynced {
		err := r.cfg.Spool.Sync()
		r.report.addFault(err)
		r.unsynced = err != nil
	}
	return r.cfg.Index.Save()
}

func allItems(p *spool.Payload) []int {
	all := make([]int, len(p.Items))
	for i := range all {
		all[i] = i
	}
	return all
}
