package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
)

// progress is the line that flush keeps up to date on a terminal. A nil progress shows nothing.
//
// The libraries for it bring net/http along, whose start-up would cost every run that finds an
// empty spool.
type progress struct {
	out   io.Writer
	now   func() time.Time
	began time.Time
	drawn time.Time
	files int
}

// newProgress returns the line, or nil when standard error is not a terminal or messages are JSON.
func (s *session) newProgress(files int) *progress {
	if s.env.StderrIs != console.Terminal || s.cfg.LogFormat == "json" {
		return nil
	}
	return &progress{out: s.stderr, now: s.env.Now, began: s.env.Now(), files: files}
}

// Step moves the bar on to done payload files, ten times a second at most. A drain may find more
// files than there were at the start.
func (p *progress) Step(done int) {
	const width = 20
	if p == nil || p.now().Sub(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn, p.files = p.now(), max(p.files, done, 1)
	text := fmt.Sprintf("sending [%-*s] %d/%d files", width, strings.Repeat("=", width*done/p.files), done, p.files)
	// Of the first second nobody can tell how long the rest takes.
	if took := p.drawn.Sub(p.began); took >= time.Second && done > 0 {
		each := took / time.Duration(done)
		text += fmt.Sprintf(", %.0f/s, %s left", float64(done)/took.Seconds(), console.Duration(each*time.Duration(p.files-done)))
	}
	fmt.Fprintf(p.out, "\r%s\x1b[K", text)
}

// Finish takes the line off the screen.
func (p *progress) Finish() {
	if p != nil {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
