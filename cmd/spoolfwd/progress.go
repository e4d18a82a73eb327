package main

import (
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
)

// progress is the bar that flush shows on a terminal. A nil progress shows
// nothing, so that its users need not ask.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress returns the bar, or nil when standard error is no terminal or when
// messages are for a machine.
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

// Step moves the bar on to done payload files. A drain may find more than there
// were at the start.
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
