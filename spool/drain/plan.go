package drain

import (
	"errors"
	"slices"

	"github.com/bitville-apm/spoolfwd/spool"
)

// An Intent is what a run would do with a payload file.
type Intent int

// Intents of a run.
const (
	Send   Intent = iota // send items of it
	Remove               // remove it: nothing in it is left to send
	Reject               // move it to rejected/, unsent
	Skip                 // leave it alone
)

// Planned is what a run would do with one payload file.
type Planned struct {
	Entry    spool.Entry
	Intent   Intent
	Items    int   // to be sent
	Bytes    int64 // of these
	Attempts int   // in earlier runs, of the item with the fewest; 0: not all items are deferred
	Reason   error // why it is rejected or skipped
}

// Plan calls visit for what a run would do, in the order of the run, if the breaker stayed closed
// and the listener took everything. It uses the spool, the index and the limits of cfg, reads each
// payload file once and changes nothing. It returns how the run would end. An error of visit ends
// it.
//
// A breaker in cfg that knows of failures makes the first item come from elsewhere in the spool. If
// that is an item of an array file, the plan has the whole file in its place.
func Plan(cfg Config, visit func(Planned) error) (Stop, error) {
	p := &planner{cfg: cfg.withDefaults()}
	if err := p.cfg.check(); err != nil {
		return LocalError, err
	}
	// The scanner has no overflow, since even a temporary file would be a change.
	q := queue{scanner: p.cfg.Spool.Scanner(p.cfg.PageSize, false), index: p.cfg.Index}
	defer q.close()
	var err error
	if q.page, err = q.scanner.Next(); err != nil {
		return LocalError, err
	}
	x := expiry{cfg: p.cfg, move: func(payload *spool.Payload, why error) (bool, error) {
		return true, visit(Planned{Entry: payload.Entry, Intent: Reject, Reason: why})
	}}
	if err := x.apply(q.scanner, &q.page); err != nil {
		return LocalError, err
	}
	if x.unmoved != nil {
		return Cancelled, x.unmoved
	}
	q.lineUpLocked()
	var s search
	if cfg.Breaker != nil {
		s.failures = cfg.Breaker.Failures()
	}
	for {
		c, ok, err := q.nextLocked(s, false)
		switch {
		case err != nil:
			return LocalError, err
		case ok && p.cfg.atLimit(p.items, p.bytes), p.limited:
			return Limit, nil
		case !ok:
			return Drained, nil
		}
		c.line.waiting.remove(c.at)
		planned, ok := p.plan(c)
		if !ok {
			continue
		}
		if planned.Intent == Send {
			s.failures = 0
		}
		if err := visit(planned); err != nil {
			return Cancelled, err
		}
	}
}

// planner pretends to send.
type planner struct {
	cfg     Config
	items   int   // sent
	bytes   int64 // of these
	limited bool  // a limit was reached in the middle of a file
	buf     []byte
}

// plan plans one payload file; false: there is nothing to do to it.
func (p *planner) plan(c choice) (Planned, bool) {
	next := c.queuedLocked()
	planned := Planned{Entry: next.Entry, Attempts: next.attempts}
	payload, err := p.cfg.Spool.Read(planned.Entry, p.cfg.Now(), p.buf)
	if payload.Data != nil {
		p.buf = payload.Data
	}
	var refused *spool.RefuseError
	switch {
	case err == nil:
		return p.pretend(planned, newFileLocked(payload, c, p.cfg.Index))
	case errors.Is(err, spool.ErrVanished):
		return planned, false
	case errors.As(err, &refused):
		planned.Intent, planned.Reason = Reject, err
	default:
		planned.Intent, planned.Reason = Skip, err
	}
	return planned, true
}

// pretend sends a file's items until a limit is reached.
func (p *planner) pretend(planned Planned, f *file) (Planned, bool) {
	for f.isReadyLocked() {
		if p.cfg.atLimit(p.items, p.bytes) {
			p.limited = true
			break
		}
		i, _ := f.takeLocked(search{})
		f.settleLocked(i, delivered)
		size := int64(len(f.payload.Items[i].Body))
		planned.Items++
		planned.Bytes += size
		p.items++
		p.bytes += size
	}
	left, _ := f.splitLocked()
	switch {
	case planned.Items > 0:
	case len(left) == 0:
		planned.Intent = Remove
	case slices.Contains(f.fates, refused):
		planned.Intent, planned.Reason = Reject, errors.New("was refused in an earlier run")
	default:
		return planned, false
	}
	return planned, true
}
