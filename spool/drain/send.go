package drain

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// sendOnly sends a payload file that is one item, and acts on the verdict.
func (r *run) sendOnly(p *spool.Payload) {
	item := &p.Items[0]
	if r.cfg.Index.delivered(p.Name, item.Key) {
		r.remove(p)
		return
	}
	v := r.transmit(item)
	switch v.Action {
	case transmit.Delivered:
		r.remove(p)
	case transmit.Rejected:
		r.reject(p, r.reason(p, item, v))
	case transmit.Kept:
		if r.exhaustedAttempts(p, item, v) {
			r.reject(p, r.reason(p, item, v))
		}
	}
}

// sendItem sends one item of an array file. The file itself is settled when its
// turn is over, so that it is rewritten once and not once per item.
func (r *run) sendItem(f *file, i int) {
	p := f.payload
	item := &p.Items[i]
	v := r.transmit(item)
	state := failed
	switch v.Action {
	case transmit.Delivered:
		state = delivered
	case transmit.Rejected:
		state = r.rejectItem(p, i, v)
	case transmit.Kept:
		if r.exhaustedAttempts(p, item, v) {
			state = r.rejectItem(p, i, v)
		}
	case transmit.Aborted:
		state = untouched
	}
	r.mu.Lock()
	f.land(i, state)
	over := f.settled()
	r.mu.Unlock()
	if over {
		r.closeFile(f)
	}
}

// transmit sends an item and records the result: with the breaker, in the
// report, and in how many requests may be in flight from now on.
func (r *run) transmit(item *spool.Item) transmit.Verdict {
	era := r.era.Load()
	v := r.cfg.Transmitter.Send(r.send, transmit.Request{Body: item.Body, Key: item.Key})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes += int64(len(item.Body))
	if r.stopped && r.report.Stop == BreakerOpen {
		r.report.Late++
	}
	if v.Action == transmit.Aborted {
		r.report.addFault(v.Err)
		r.halt(Fault)
		return v
	}
	r.report.Requests++
	if r.report.Statuses == nil {
		r.report.Statuses = map[int]int{}
	}
	r.report.Statuses[v.Status]++
	now := r.now()
	if v.Action == transmit.Delivered {
		r.report.Delivered++
		r.report.DeliveredBytes += int64(len(item.Body))
		if era == r.era.Load() { // what was asked before a failure says nothing about the time after it
			r.window = min(r.window+1, r.cfg.Concurrency)
		}
		// A recovery that cannot be saved costs a superfluous probe in the
		// next run. Deliveries go on: they are what frees a full disk.
		r.report.addFault(r.cfg.Breaker.RecordSuccess(now))
		r.progress()
		return v
	}
	r.report.Failed++
	r.report.addError(v.Err, v.Status)
	r.window = 1
	r.era.Add(1)
	if err := r.cfg.Breaker.RecordFailure(now, v.RetryAfter); err != nil {
		// A breaker that cannot remember must not hammer.
		r.report.addFault(err)
		r.halt(Fault)
	}
	if !r.cfg.Breaker.Available(now) {
		r.halt(BreakerOpen)
	}
	r.progress()
	return v
}

func (r *run) progress() {
	if r.cfg.Progress != nil {
		r.cfg.Progress(r.report)
	}
}

// exhausted reports whether an error means that this machine has run out of
// something, so that whatever is tried next fails the same way.
func exhausted(err error) bool {
	for _, no := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}
