package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bitville-apm/spoolfwd/spool"
)

// planned is one payload file as a dry run prints it.
type planned struct {
	Name     string `json:"name"` // quoted when it is not UTF-8
	Bytes    int64  `json:"bytes"`
	Items    int    `json:"items"`
	Verdict  string `json:"verdict"` // "send", "reject" or "skip"
	Reason   string `json:"reason,omitempty"`
	fileName string
}

// dryRun says what a run would do, in order. It takes no lock and changes
// nothing, so that another run may be doing it meanwhile.
func (s *session) dryRun(ctx context.Context) error {
	t, errT := s.newTransmitter()
	sp, errS := s.openSpool()
	if err := errors.Join(errT, errS); err != nil {
		return err
	}
	defer t.Close()
	defer sp.Close()
	b, err := s.peekBreaker()
	if err != nil {
		return err
	}
	if wait := b.Wait(s.env.Now()); wait > 0 {
		s.log.Warn(fmt.Sprintf("breaker %s is open: a run would send nothing for another %s", s.cfg.Name, humanDuration(wait)))
	}
	plans := []planned{}
	items, files := 0, 0
	err = s.eachPayload(ctx, sp, func(p planned) {
		if p.Verdict == "send" {
			items, files = items+p.Items, files+1
		}
		if s.cfg.JSON {
			plans = append(plans, p)
			return
		}
		s.printPlan(p)
	})
	if s.cfg.JSON {
		s.printJSON(map[string]any{"url": t.URL(), "files": plans})
	} else {
		s.out.line("would send %s from %s to %s", plural(items, "item"), plural(files, "payload file"), t.URL())
	}
	return err
}

func (s *session) printPlan(p planned) {
	if p.Verdict == "send" {
		s.out.line("%s: send %s, %s", p.fileName, plural(p.Items, "item"), humanSize(p.Bytes))
		return
	}
	s.out.line("%s: %s: %s", p.fileName, p.Verdict, p.Reason)
}

// eachPayload reads every payload file in order, a window of the spool at a
// time.
func (s *session) eachPayload(ctx context.Context, sp *spool.Spool, do func(planned)) error {
	var buf []byte
	for after, more := (spool.Entry{}), true; more; {
		w, err := sp.Scan(after, 0)
		if err != nil {
			return err
		}
		for _, e := range w.Entries {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			p, err := sp.Read(e, s.env.Now(), buf)
			if errors.Is(err, spool.ErrVanished) {
				continue
			}
			do(plan(e, p, err))
			if p != nil && p.Data != nil {
				buf = p.Data
			}
			after = e
		}
		more = w.More && len(w.Entries) > 0
	}
	return nil
}

func plan(e spool.Entry, p *spool.Payload, err error) planned {
	out := planned{Name: spool.EncodeName(e.Name), fileName: e.Name, Bytes: e.Size, Verdict: "send"}
	var refused *spool.RefuseError
	var skipped *spool.SkipError
	switch {
	case err == nil:
		out.Items = len(p.Items)
	case errors.As(err, &refused):
		out.Verdict, out.Reason = "reject", refused.Reason
	case errors.As(err, &skipped):
		out.Verdict, out.Reason = "skip", skipped.Reason
	default:
		out.Verdict, out.Reason = "skip", err.Error()
	}
	return out
}
