package main

import (
	"context"

	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// flushCommand drains by hand and reports what it does.
func flushCommand(ctx context.Context, s *session) error {
	if s.cfg.DryRun {
		return s.dryRun(ctx)
	}
	d, err := s.openDrainer()
	if err != nil {
		return s.notRun(err)
	}
	defer d.close()
	d.byHand, d.force = true, s.cfg.Force

	ctx, waitUntil, cancel := s.limit(ctx)
	defer cancel()
	for {
		d.waitForProbe(ctx, waitUntil)
		o := d.flush(ctx)
		wait := d.breaker.Wait(s.env.Now())
		again := s.cfg.Wait > 0 && o.report.Stop == drain.BreakerOpen && !s.env.Now().Add(wait).After(waitUntil) && len(o.faults) == 0
		if !again {
			if o.printed = !s.cfg.JSON; o.printed {
				s.out.Line("%s", o.summary())
			}
			return o.end()
		}
		o.tell()
		d.force = false
	}
}

// flush drains once, under a progress bar.
func (d *drainer) flush(ctx context.Context) *outcome {
	var bar *progress
	d.progress = func(r drain.Report) {
		if bar == nil {
			if bar = d.s.newProgress(r.Files); bar == nil {
				return
			}
		}
		bar.Step(r.Files - r.Left)
	}
	o := d.drain(ctx)
	bar.Finish()
	return o
}
