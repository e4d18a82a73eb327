package main

import (
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// eachCommand calls do for every command and group, with its words.
func eachCommand(level []command, words []string, do func([]string, command)) {
	for _, c := range level {
		path := append(words[:len(words):len(words)], c.name)
		do(path, c)
		eachCommand(c.sub, path, do)
	}
}

func TestEveryHelpIsOnStandardOutputAndComplete(t *testing.T) {
	w := newWorld(t)
	before := w.snapshot()
	eachCommand(commands(), nil, func(words []string, c command) {
		for _, args := range [][]string{append(words[:len(words):len(words)], "--help"), append([]string{"help"}, words...), append(words[:len(words):len(words)], "-h")} {
			name := strings.Join(args, " ")
			r := w.run(args...).wantCode(t, exit.OK)
			if r.stderr != "" {
				t.Errorf("%s writes to standard error: %s", name, r.stderr)
			}
			wantText(t, name, r.stdout, "spoolfwd "+strings.Join(words, " ")+" - "+c.usage, "Exit codes:")
			for _, e := range exit.Meanings() {
				wantText(t, name, r.stdout, e.Text)
			}
			for _, e := range c.examples {
				wantText(t, name, r.stdout, e)
			}
			for _, s := range newConfig().table {
				if s.on&c.use != 0 {
					wantText(t, name, r.stdout, "--"+s.name, s.usage)
				}
			}
			for _, sub := range c.sub {
				wantText(t, name, r.stdout, sub.name, sub.usage)
			}
			if c.action != nil && len(c.examples) == 0 {
				t.Errorf("%s has no example", name)
			}
		}
	})
	if w.snapshot() != before {
		t.Error("asking for help changed something on disk")
	}
}

// The library goes on to the next command after a flag of the program.
func TestHelpBeforeACommandDoesNotRunIt(t *testing.T) {
	w := newWorld(t)
	r := w.run("--help", "run", "--spool", w.spool, "--state-dir", w.state).wantCode(t, exit.OK)
	wantText(t, "help", r.stdout, "spoolfwd - ", "Commands:")
	if len(namesIn(t, w.state)) != 0 {
		t.Error("a run took place")
	}
}

func TestHelpOfAnUnknownCommandIsAUsageError(t *testing.T) {
	w := newWorld(t)
	r := w.run("help", "rnu").wantCode(t, exit.Usage)
	wantText(t, "standard error", r.stderr, `did you mean "run"?`)
}

func TestVersion(t *testing.T) {
	w := newWorld(t)
	r := w.run("--version").wantCode(t, exit.OK)
	if want := "spoolfwd " + version(); !strings.HasPrefix(r.stdout, want) {
		t.Errorf("it says %q, want %q", r.stdout, want)
	}
	if strings.ContainsAny(userAgent(), " ()") {
		t.Errorf("the user agent %q is more than one product", userAgent())
	}
}
