package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestASignalCancelsTheContextAndIsItsCause(t *testing.T) {
	ctx := catchSignals(t.Context())
	done := ctx.Done() // from here on they are caught
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-done
	var ended endedBy
	if !errors.As(context.Cause(ctx), &ended) || ended.signal != syscall.SIGTERM {
		t.Errorf("the cause is %v, want SIGTERM", context.Cause(ctx))
	}
	// The second one changes nothing; were it not caught, this test would end here.
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// Catching signals is what would take most of the time of a run that has nothing to
// do, and begins when the context is asked.
func TestOnlyARunWithNothingToDoCatchesNoSignals(t *testing.T) {
	for _, c := range []struct {
		command string
		payload bool
		asked   bool
	}{
		{command: "run"},
		{command: "run", payload: true, asked: true},
		{command: "flush", asked: true},
	} {
		w := newWorld(t)
		if c.payload {
			w.put("a.json", `{}`)
		}
		asked := false
		ctx := &signalContext{Context: t.Context(), begin: func() { asked = true }}
		w.runContext(ctx, c.command, "--spool", w.spool, "--state-dir", w.state, "--url", w.listener.URL).wantCode(t, exitOK)
		if asked != c.asked {
			t.Errorf("%s, with a payload: %v: it catches signals: %v", c.command, c.payload, asked)
		}
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	if err := waitFor(t.Context(), time.Nanosecond); err != nil {
		t.Errorf("a wait that is over returns %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(endedBy{syscall.SIGINT})
	if err := waitFor(ctx, time.Hour); codeOf(err) != exitInterrupt {
		t.Errorf("an interrupted wait returns %v", err)
	}
}

func TestThisMachineHasAName(t *testing.T) {
	if machineID() == "" {
		t.Error("there is neither a machine id nor a host name")
	}
}
