package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// catchSignals returns a context that the first SIGINT, SIGTERM or SIGHUP cancels. Its cause is an
// exit.Signalled. Signals that the parent process chose to ignore (nohup, a background job of a
// script) stay ignored. Later signals change nothing, since the end is near and bounded by the
// timeouts, but a second SIGINT kills: a person at a terminal means it.
//
// SIGPIPE is ignored: a reader of our output that goes away must not end a run between a delivery
// and the removal of its payload file.
func catchSignals(parent context.Context) context.Context {
	signal.Ignore(unix.SIGPIPE)
	caught := make(chan os.Signal, 1)
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(caught, s)
		}
	}
	ctx, cancel := context.WithCancelCause(parent)
	go func() {
		s, _ := (<-caught).(syscall.Signal)
		signal.Reset(unix.SIGINT)
		cancel(exit.Signalled{Signal: s})
	}()
	return ctx
}

// waitFor sleeps for d or until the context ends, and then returns its cause.
func waitFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
