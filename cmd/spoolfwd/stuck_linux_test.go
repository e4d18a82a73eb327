package main

import (
	"context"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// stuckPipe is a full pipe that nobody reads before the test ends.
func stuckPipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	size, err := unix.FcntlInt(w.Fd(), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	return r, w
}

// A pager that waits for a key, or a log collector that hangs, must not keep the lock.
func TestNobodyWhoDoesNotReadKeepsTheLock(t *testing.T) {
	for command, flags := range map[string][]string{
		"run":            {"-v", "--json"},
		"flush":          nil,
		"rejected retry": {"--all", "--json"},
		"breaker reset":  {"--json"},
	} {
		t.Run(command, func(t *testing.T) {
			w := newWorld(t)
			w.put("a.json", "[1,2,3]")
			w.put("b.json", "{}")
			_, w.env.Stdout = stuckPipe(t)
			_, w.env.Stderr = stuckPipe(t)
			w.env.StderrIs = console.Terminal // flush shows its progress
			w.env.Patience = 20 * time.Millisecond
			w.do(command, flags...).wantCode(t, exit.IO)

			w.env.Stdout, w.env.Stderr, w.env.StderrIs = nil, nil, console.Pipe
			if sent := len(w.received()); sent != 4 && (command == "run" || command == "flush") {
				t.Errorf("%d of 4 items were sent while nobody read", sent)
			}
			w.do("run").wantCode(t, exit.OK) // the lock is free
		})
	}
}

func TestASignalEndsACommandWhoseOutputNobodyReads(t *testing.T) {
	w := newWorld(t)
	_, w.env.Stdout = stuckPipe(t)
	w.env.Patience = 20 * time.Millisecond
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(exit.Signalled{Signal: syscall.SIGTERM}) })
	w.doContext(ctx, "status", "--json").wantCode(t, exit.Terminated)
}

// A person may leaf through a long list for as long as it takes.
func TestAListWaitsForItsReader(t *testing.T) {
	w := newWorld(t)
	r, stdout := stuckPipe(t)
	w.env.Stdout, w.env.Patience = stdout, time.Nanosecond
	time.AfterFunc(50*time.Millisecond, func() { io.Copy(io.Discard, r) })
	w.do("status", "--json").wantCode(t, exit.OK)
}
