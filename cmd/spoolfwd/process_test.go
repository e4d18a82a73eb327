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
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	var ended endedBy
	if !errors.As(context.Cause(ctx), &ended) || ended.signal != syscall.SIGTERM {
		t.Errorf("the cause is %v, want SIGTERM", context.Cause(ctx))
	}
	// The second one changes nothing; were it not caught, this test would end here.
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
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
