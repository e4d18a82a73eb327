package main

import (
	"context"
	"fmt"
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
	d.force = s.cfg.Force

	// The lock stays held while waiting: a run in the meantime would do what this flush waits for.
	deadline := s.env.Now().Add(s.cfg.Wait)
	for {
		if err := d.waitForBreaker(ctx, deadline); err != nil {
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

// waitForBreaker waits until the breaker lets a request through. It does not wait when that would be
// after the deadline: the drain then finds the breaker open, or the spool empty.
func (d *drainer) waitForBreaker(ctx context.Context, deadline time.Time) error {
	s := d.s
	wait := d.breaker.Wait(s.env.Now())
	if d.force || wait == 0 || s.cfg.Wait == 0 || s.env.Now().Add(wait).After(deadline) {
		return nil
	}
	if empty, err := d.spool.Empty(); err != nil || empty {
		return err
	}
	d.lock.Sign(s.env.Now())
	s.log.Log(ctx, console.LevelNotice, fmt.Sprintf("the breaker is open, waiting %s for it", console.Duration(wait)))
	return s.env.Wait(ctx, wait)
}

// progress is the bar that flush shows on a terminal. A nil progress shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress returns the bar, or nil when standard error is not a terminal or messages are JSON.
func (s *session) newProgress(files int) *progress {
	if s.env.StderrIs != console.Terminal || s.cfg.LogFormat == "json" {
		return nil
	}
	return &progress{progressbar.NewOptions(files,
		progressbar.OptionSetWriter(s.env.Stderr),
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
