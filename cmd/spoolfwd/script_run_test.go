package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) >= 2, "exits CODE COMMAND...")
	want := args[0]
	got := 0
	if args[1] == "at" {
		refuse(ts, neg, len(args) >= 4 && args[3] == "spoolfwd", "exits CODE at D|@D spoolfwd ARGS...")
		got = runAhead(ts, args[2], args[3:])
	} else if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("%s ended with %d, not %s", strings.Join(args[1:], " "), got, want)
	}
}

// clockOf returns the clock that a script asks for.
func clockOf(ts *testscript.TestScript, text string) func() time.Time {
	text, still := strings.CutPrefix(text, "@")
	ahead, err := time.ParseDuration(text)
	ts.Check(err)
	start, err := time.Parse(time.RFC3339Nano, ts.Getenv("START"))
	ts.Check(err)
	return func() time.Time {
		if still {
			return start.Add(ahead)
		}
		return time.Now().Add(ahead)
	}
}

// runAhead runs the program with another clock than the machine's.
func runAhead(ts *testscript.TestScript, by string, args []string) int {
	now := clockOf(ts, by)
	return int(run(context.Background(), Env{
		Args:      args,
		Stdin:     strings.NewReader(""),
		Stdout:    ts.Stdout(),
		Stderr:    ts.Stderr(),
		Environ:   environOf(ts),
		Now:       now,
		Wait:      func(context.Context, time.Duration) error { return nil },
		MachineID: breaker.MachineID,
	}))
}

// process is a program that a script has started in the background.
type process struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer
	ended  chan struct{}
}

// processes are those of one script, by the names it gave them. The value is put there by Setup.
type processes map[string]*process

type processesKey struct{}

func processesOf(ts *testscript.TestScript) processes { return ts.Value(processesKey{}).(processes) }

// environOf returns what of a script's environment the program looks at.
func environOf(ts *testscript.TestScript) []string {
	names := []string{"NO_PROXY", "http_proxy", "https_proxy", "CREDENTIALS_DIRECTORY", "HOME", "PATH", "TMPDIR"}
	for _, s := range settings.New().Table {
		if name := s.Variable(); name != "" {
			names = append(names, name)
		}
	}
	var environ []string
	for _, name := range names {
		environ = append(environ, name+"="+ts.Getenv(name))
	}
	return environ
}

func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) >= 2 && args[1] == "spoolfwd", "start NAME spoolfwd ARGS...")
	p := &process{cmd: exec.Command(binaryOf(ts, "spoolfwd"), args[2:]...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), environOf(ts)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	ts.Check(p.cmd.Start())
	processesOf(ts)[args[0]] = p
	go func() {
		_ = p.cmd.Wait() // ended looks at ProcessState
		close(p.ended)
	}()
	ts.Defer(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
}

func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) == 2 && processesOf(ts)[args[0]] != nil, "signal NAME SIGNAL")
	signal := unix.SignalNum("SIG" + args[1])
	if signal == 0 {
		ts.Fatalf("there is no signal %s", args[1])
	}
	ts.Check(processesOf(ts)[args[0]].cmd.Process.Signal(signal))
}

func scriptEnded(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg, len(args) == 2 && processesOf(ts)[args[0]] != nil, "ended NAME CODE")
	p := processesOf(ts)[args[0]]
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		ts.Fatalf("%s does not end", args[0])
	}
	fmt.Fprint(ts.Stdout(), p.stdout.String())
	fmt.Fprint(ts.Stderr(), p.stderr.String())
	if got := p.cmd.ProcessState.ExitCode(); strconv.Itoa(got) != args[1] {
		ts.Fatalf("%s ended with %d, not %s", args[0], got, args[1])
	}
}
