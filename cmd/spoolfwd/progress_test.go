package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

func newTestProgress(t *testing.T, kind console.StreamKind, format string, now *time.Time) (*progress, *bytes.Buffer) {
	b := new(bytes.Buffer)
	env := Env{StderrIs: kind, Now: func() time.Time { return *now }}
	s := &session{env: env, stderr: console.NewWriter(t.Context(), b, time.Second), cfg: settings.New()}
	s.cfg.LogFormat = format
	return s.newProgress(10), b
}

func TestProgressIsForTerminalsOnly(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, c := range []struct {
		kind   console.StreamKind
		format string
	}{
		{console.Pipe, "text"}, {console.Journal, "text"}, {console.File, "text"}, {console.Terminal, "json"},
	} {
		p, b := newTestProgress(t, c.kind, c.format, &now)
		p.Step(3)
		p.Finish()
		if b.Len() > 0 {
			t.Errorf("kind %d, format %s: it shows %q", c.kind, c.format, b)
		}
	}
}

func TestProgressSaysHowFarItIsAndHowLongTheRestTakes(t *testing.T) {
	now := time.Unix(1e9, 0)
	p, b := newTestProgress(t, console.Terminal, "text", &now)
	for _, step := range []struct {
		name   string
		passed time.Duration
		done   int
		want   string
	}{
		{"the first", 0, 0, "\rsending [                    ] 0/10 files\x1b[K"},
		{"one that comes too soon to be read", 99 * time.Millisecond, 1, ""},
		{"one within the first second", time.Millisecond, 1, "\rsending [==                  ] 1/10 files\x1b[K"},
		{"one after two seconds", 1900 * time.Millisecond, 4, "\rsending [========            ] 4/10 files, 2/s, 3s left\x1b[K"},
		{"more files than at the start", 3 * time.Second, 20, "\rsending [====================] 20/20 files, 4/s, 0s left\x1b[K"},
	} {
		now = now.Add(step.passed)
		b.Reset()
		if p.Step(step.done); b.String() != step.want {
			t.Errorf("%s: it shows %q, want %q", step.name, b, step.want)
		}
	}
	b.Reset()
	if p.Finish(); b.String() != "\r\x1b[K" {
		t.Errorf("at the end it shows %q, want an empty line", b)
	}
}
