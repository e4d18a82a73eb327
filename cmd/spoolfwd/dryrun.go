package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// planned is one payload file as a dry run prints it.
type planned struct {
	Name     string `json:"name"`               // quoted when it is not UTF-8
	Items    int    `json:"items"`              // to be sent
	Bytes    int64  `json:"bytes"`              // of these
	Verdict  string `json:"verdict"`            // "send", "remove", "reject" or "skip"
	Attempts int    `json:"attempts,omitempty"` // in earlier runs, of what is deferred
	Reason   string `json:"reason,omitempty"`
}

// dryRun lists what a run would do, in order. It takes no lock and changes nothing, so another run
// may do it at the same time.
func (s *session) dryRun(ctx context.Context) error {
	t, errT := s.transmitter, s.errTransmitter
	sp, errS := s.openSpool()
	if t != nil {
		defer t.Close()
	}
	if sp != nil {
		defer sp.Close()
	}
	b, errB := s.newBreaker()
	if err := errors.Join(errT, errS, errB); err != nil {
		return err
	}
	s.warn(b.Peek(s.env.Now()))
	if wait := b.Wait(s.env.Now()); wait > 0 {
		s.log.Warn(fmt.Sprintf("breaker %s is open: a run would send nothing for another %s", s.cfg.Breaker.Name, console.Duration(wait)))
	}
	index, err := drain.PeekIndex(drain.IndexPath(s.cfg.Breaker.StateDir, s.cfg.Breaker.Name))
	s.warn(err)

	plans := []planned{}
	items, files := 0, 0
	cfg := s.cfg.Drain
	cfg.Spool, cfg.Index, cfg.Breaker, cfg.Now = sp, index, b, s.env.Now
	stop, err := drain.Plan(cfg, func(p drain.Planned) error {
		items += p.Items
		if p.Intent == drain.Send {
			files++
		}
		if s.cfg.JSON {
			plans = append(plans, plannedOf(p))
		} else {
			s.printPlan(p)
		}
		return context.Cause(ctx)
	})
	if err != nil {
		return err
	}
	if s.cfg.JSON {
		s.out.JSON(map[string]any{"url": t.URL(), "stop": stop.String(), "files": plans})
		return nil
	}
	end := ""
	if stop == drain.Limit {
		end = "; then a limit would end the run"
	}
	s.out.Line("would send %s from %s to %s%s", console.Count(items, "item"), console.Count(files, "payload file"), t.URL(), end)
	return nil
}

func (s *session) printPlan(p drain.Planned) {
	verdict, reason := verdictOf(p)
	if p.Intent == drain.Send {
		after := ""
		if p.Attempts > 0 {
			after = ", deferred after " + console.Count(p.Attempts, "attempt")
		}
		s.out.Line("%s: send %s, %s%s", p.Entry.Name, console.Count(p.Items, "item"), console.Size(p.Bytes), after)
		return
	}
	s.out.Line("%s: %s: %s", p.Entry.Name, verdict, reason)
}

func plannedOf(p drain.Planned) planned {
	verdict, reason := verdictOf(p)
	return planned{spool.EncodeName(p.Entry.Name), p.Items, p.Bytes, verdict, p.Attempts, reason}
}

// verdictOf words what a run would do with a payload file, and why.
func verdictOf(p drain.Planned) (verdict, reason string) {
	var refused *spool.RefuseError
	var skipped *spool.SkipError
	switch {
	case errors.As(p.Reason, &refused):
		reason = refused.Err.Error()
	case errors.As(p.Reason, &skipped):
		reason = skipped.Reason
	case p.Reason != nil:
		reason = p.Reason.Error()
	}
	switch p.Intent {
	case drain.Send:
		return "send", ""
	case drain.Remove:
		return "remove", "nothing in it is left to send"
	case drain.Reject:
		return "reject", reason
	}
	return "skip", reason
}
