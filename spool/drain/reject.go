package drain

import (
	"errors"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// reject moves a payload file to rejected/; why says what is wrong with one that was never sent.
// When that fails, the file stays in the spool: a payload that cannot be set aside must still be
// kept.
func (r *run) reject(p *spool.Payload, reason spool.Reason, why string) fate {
	err := r.cfg.Spool.Reject(p, reason)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.report.addRejectedLocked(Rejection{Name: p.Name, Attempts: reason.Attempts, Status: reason.Status, Answer: reason.Answer, Why: why})
		r.forgetFileLocked(p)
		return rejected
	case r.isLostLocked(p, err):
		return lost
	}
	r.report.addLocalErrorLocked(err)
	return failed
}

// moveToRejected moves an item that has just failed to rejected/. If that cannot be done, the item
// is remembered as refused, since sending it again would have it refused again.
func (r *run) moveToRejected(d delivery, v transmit.Verdict) fate {
	became := r.rejectItem(d, v)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch became {
	case rejected:
		r.report.removeFailedLocked()
	case failed:
		if v.Action == transmit.Rejected { // otherwise the attempt is in the index already
			r.cfg.Index.addFailureLocked(r.attemptOf(d, v, false))
		}
		r.cfg.Index.markRefusedLocked(d.payload().Name, d.item().Key, v.Err)
	}
	return became
}

// moveRefused moves the items of a file to rejected/ that earlier runs could not move.
func (r *run) moveRefused(f *file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, was := range f.fates {
		if was != refused {
			continue
		}
		d := delivery{file: f, index: i}
		a := r.cfg.Index.attemptsLocked(f.payload.Name, d.item().Key)
		r.mu.Unlock()
		became := r.rejectItem(d, transmit.Verdict{Action: transmit.Kept, Status: a.Status, Err: errors.New(a.Error)})
		r.mu.Lock()
		if became == rejected {
			f.fates[i] = rejected
			f.gone++
		}
	}
}

// rejectItem moves an item's file to rejected/ or, if it is one of several in an array file, a copy
// of it. The copy allows the item to be cut out of its file.
func (r *run) rejectItem(d delivery, v transmit.Verdict) fate {
	p, reason := d.payload(), r.reasonOf(d, v)
	if !p.Array {
		return r.reject(p, reason, "")
	}
	err := r.cfg.Spool.RejectItem(p, d.index, reason)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.report.addLocalErrorLocked(err)
		return failed
	}
	r.report.addRejectedLocked(Rejection{Name: p.Name, Item: d.index + 1, Attempts: reason.Attempts, Status: reason.Status, Answer: reason.Answer})
	return rejected
}

// reasonOf is what rejected/ keeps of an item's history.
func (r *run) reasonOf(d delivery, v transmit.Verdict) spool.Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	reason := spool.Reason{Key: d.item().Key, Time: r.now(), Attempts: 1, Status: v.Status, Answer: string(v.Excerpt)}
	if v.Err != nil {
		reason.Error = v.Err.Error()
	}
	if a := r.cfg.Index.attemptsLocked(d.payload().Name, d.item().Key); a.Count > 0 {
		reason.First = &a.First
		reason.Attempts = a.Count
		if v.Action == transmit.Rejected {
			reason.Attempts++ // this one is not in the index
		}
	}
	return reason
}
