package drain

import (
	"errors"

	"github.com/bitville-apm/spoolfwd/spool"
)

// Fate is what a run would do with a payload file.
type Fate int

// What a run would do with a payload file.
const (
	Send   Fate = iota // send items of it
	Remove             // remove it: nothing in it is left to send
	Reject             // move it to rejected/, unsent
	Skip               // leave it alone
)

// Planned is what a run would do with one payload file.
type Planned struct {
	Entry    spool.Entry
	Fate     Fate
	Items    int   // to be sent
	Bytes    int64 // of these
	Attempts int   // in earlier runs, of the item with the fewest; 0: not all of its items are deferred
	Reason   error // why it is rejected or skipped
}

// Plan calls visit for what a run would do, in the order of the run, if the
// breaker stayed closed and the listener took everything. It uses the spool, the
// index and the limits of cfg, reads each payload file once and changes nothing.
// It returns how the run would end. An error of visit ends it.
func Plan(cfg Config, visit func(Planned) error) (Stop, error) {
	p := &planner{cfg: cfg.withDefaults()}
	// Without overflow, since even a temporary file would be a change.
	q := queue{scanner: p.cfg.Spool.Scanner(p.cfg.PageSize, false), index: p.cfg.Index}
	if err := q.refill(); err != nil {
		return Fault, err
	}
	for {
		t, ok, err := q.peek()
		switch {
		case err != nil:
			return Fault, err
		case ok && p.atLimit(), p.cut:
			return Limit, nil
		case !ok:
			return Drained, nil
		}
		q.take(t)
		planned, ok := p.file(t)
		if !ok {
			continue
		}
		if err := visit(planned); err != nil {
			return Cancelled, err
		}
	}
}

// planner pretends to send.
type planner struct {
	cfg   Config
	items int   // sent
	bytes int64 // of these
	cut   bool  // a limit was reached with items of a file left
	buf   []byte
}

// file plans one payload file; false: there is nothing to do to it.
func (p *planner) file(t turn) (Planned, bool) {
	planned := Planned{Entry: t.entry, Attempts: t.attempts}
	payload, err := p.cfg.Spool.Read(t.entry, p.cfg.Now(), p.buf)
	if payload.Data != nil {
		p.buf = payload.Data
	}
	var refused *spool.RefuseError
	switch {
	case errors.Is(err, spool.ErrVanished):
		return planned, false
	case errors.As(err, &refused):
		planned.Fate, planned.Reason = Reject, err
	case err != nil:
		planned.Fate, planned.Reason = Skip, err
	case payload.Array:
		ok := p.array(&planned, payload)
		return planned, ok
	case p.cfg.Index.delivered(payload.Name, payload.Items[0].Key):
		planned.Fate = Remove
	default:
		p.pretend(&planned, len(payload.Items[0].Body))
	}
	return planned, true
}

// array plans an array file; false: there is nothing to do to it.
func (p *planner) array(planned *Planned, payload *spool.Payload) bool {
	f := newFile(payload, p.cfg.Index)
	for f.ready() {
		i := f.take()
		state := untouched
		if p.pretend(planned, len(payload.Items[i].Body)) {
			state = delivered
		}
		f.land(i, state)
	}
	left, _ := f.left()
	if len(left) == 0 && planned.Items == 0 {
		planned.Fate = Remove
	}
	return planned.Items > 0 || len(left) == 0
}

// pretend sends an item, unless a limit is reached.
func (p *planner) pretend(planned *Planned, size int) bool {
	if p.atLimit() {
		p.cut = true
		return false
	}
	planned.Items++
	planned.Bytes += int64(size)
	p.items++
	p.bytes += int64(size)
	return true
}

func (p *planner) atLimit() bool {
	return p.cfg.MaxItems > 0 && p.items >= p.cfg.MaxItems || p.cfg.MaxBytes > 0 && p.bytes >= p.cfg.MaxBytes
}
