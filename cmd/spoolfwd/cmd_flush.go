package main

import (
	"context"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
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

	deadline := s.env.Now().Add(s.cfg.Wait)
	for {
		if err := d.waitForProbe(ctx, deadline); err != nil {
			return s.notRun(err)
		}
		o := d.flush(ctx)
		wait := d.breaker.Wait(s.env.Now())
		again := s.cfg.Wait > 0 && o.report.Stop == drain.BreakerOpen && !s.env.Now().Add(wait).After(deadline) && len(o.faults) == 0
		if !again {
			if !s.cfg.JSON {
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

// progress is the bar that flush shows on a terminal. A nil progress shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress returns the bar, or nil when standard error is not a terminal or messages are JSON.
func (s *session) newProgress(files int) *progress {
	if s.env.StderrIs != console.Terminal || s.cfg.LogFormat == "json" {
		return nil
	}
	return &progress{progressbar.NewOptions(files,
		progressbar.OptionSetWriter(s.stderr),
		progressbar.OptionSetDescription("sending"),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("files"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(30),
	)}
}

// Step moves the bar on to done payload files. A drain may find more than there were at the start.
func (p *progress) Step(done int) {
	if p == nil {
		return
	}
	if done > p.bar.GetMax() {
		p.bar.ChangeMax(done)
	}
	p.bar.Set(done)
}

// Finish takes the bar off the screen.
func (p *progress) Finish() {
	if p != nil {
		p.bar.Exit()
		p.bar.Clear()
	}
}
