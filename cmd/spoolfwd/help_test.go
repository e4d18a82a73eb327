package main

import (
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
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
	eachCommand([]command{program()}, nil, func(words []string, c command) {
		path := strings.Join(words, " ")
		for _, args := range [][]string{append(words[1:len(words):len(words)], "--help"), append([]string{"help"}, words[1:]...), append(words[1:len(words):len(words)], "-h")} {
			name := strings.Join(args, " ")
			r := w.run(args...).wantCode(t, exit.OK)
			if r.stderr != "" {
				t.Errorf("%s writes to standard error: %s", name, r.stderr)
			}
			wantText(t, name, r.stdout, path+" - "+c.usage, "Exit codes:")
			wantText(t, name, r.stdout, c.examples...)
			for _, g := range settings.New().Of(c.takes) {
				_, group, _ := strings.Cut(r.stdout, "\n"+g.Name+":\n")
				group, _, _ = strings.Cut(group, "\n\n")
				for _, s := range g.Settings {
					wantText(t, name+", "+g.Name, group, s.Heading(), s.Usage)
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

// A code that a command cannot end with would only worry whoever reads its help.
func TestHelpShowsTheExitCodesThatCanOccur(t *testing.T) {
	w := newWorld(t)
	for command, want := range map[string]string{
		"":              "0 64 65 69 73 74 75 77 78 129 130 143",
		"run":           "0 64 65 69 74 75 77 78 129 130 143",
		"put":           "0 64 65 73 74 77 78 129 130 143",
		"check":         "0 64 69 74 77 78 129 130 143",
		"breaker":       "0 64 74 75 77 78 129 130 143",
		"breaker show":  "0 64 74 77 78 129 130 143",
		"breaker trip":  "0 64 74 75 77 78 129 130 143",
		"rejected list": "0 64 74 77 78 129 130 143",
		"version":       "0 64 74",
	} {
		_, codes, _ := strings.Cut(w.run(append(strings.Fields(command), "--help")...).stdout, "Exit codes:\n")
		if got := strings.Join(matches(`(?m)^  (\d+)  `, codes), " "); got != want {
			t.Errorf("help of %q shows the exit codes %s, want %s", command, got, want)
		}
	}
}

func TestHelpSaysInTheWordsOfACommandWhatItsExitCodesMean(t *testing.T) {
	w := newWorld(t)
	for command, want := range map[string]string{
		"run":               "65   payloads were rejected or expired\n",
		"status":            "0       done\n",
		"put":               "73   the spool or its disk is full\n",
		"check":             "69   the listener cannot be reached, or breaks its contract\n",
		"rejected retry":    "75   a run holds the lock\n",
		"rejected":          "0    done\n",
		"completion --help": "0   done\n",
	} {
		wantText(t, "help of "+command, w.run(append(strings.Fields(command), "--help")...).stdout, want)
	}
}

// A person who types just the name of the program wants to read what it is, and has done nothing
// wrong.
func TestTheProgramAloneShowsItsHelp(t *testing.T) {
	w := newWorld(t)
	alone, help := w.run().wantCode(t, exit.OK), w.run("--help")
	if alone.stdout != help.stdout || alone.stdout == "" || alone.stderr != "" {
		t.Errorf("it prints %q and %q, want the help", alone.stdout, alone.stderr)
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

func TestTheVersionIsPrintedByFlagAndByCommand(t *testing.T) {
	w := newWorld(t)
	for _, args := range []string{"--version", "version"} {
		r := w.run(args).wantCode(t, exit.OK)
		if want := "spoolfwd " + version(); !strings.HasPrefix(r.stdout, want) {
			t.Errorf("%s says %q, want %q", args, r.stdout, want)
		}
	}
	// A broken configuration is what somebody who asks for the version may be looking into.
	w.env.Environ = []string{"SPOOLFWD_TIMEOUT=soon"}
	w.run("version").wantCode(t, exit.OK)
	if strings.ContainsAny(userAgent(), " ()") {
		t.Errorf("the user agent %q is more than one product", userAgent())
	}
}

func TestTheHelpOfACommandSaysAsWhomItWorks(t *testing.T) {
	w := newWorld(t)
	for command, want := range map[string]string{
		"run": "the spool", "put": "the spool", "status": "the spool", "check": "the spool", "rejected list": "the spool",
		"breaker show": "the state directory", "breaker trip": "the state directory", "version": "",
	} {
		help := w.run(append(strings.Fields(command), "--help")...).stdout
		if want == "" {
			wantNoText(t, command, help, "Started by root")
		} else {
			wantText(t, command, help, "\nStarted by root, it works as the owner of "+want+".\n")
		}
	}
}
