package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// ignorePipe lets writing to a reader that went away fail, as any other write would. Otherwise it
// would end a run between a delivery and the removal of its payload file.
func ignorePipe() { signal.Ignore(unix.SIGPIPE) }

// signalCatcher returns a function from whose call on the first SIGINT, SIGTERM or SIGHUP cancels a
// context. The cause is an exit.Signalled. Signals that the parent process chose to ignore (nohup,
// a background job of a script) stay ignored. Later signals change nothing, since the end is near
// and bounded by the timeouts, but a second SIGINT kills: a person at a terminal means it.
func signalCatcher(cancel context.CancelCauseFunc) func() {
	return sync.OnceFunc(func() {
		caught := make(chan os.Signal, 1)
		for _, s := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP} {
			if !signal.Ignored(s) {
				signal.Notify(caught, s)
			}
		}
		go func() {
			s, _ := (<-caught).(syscall.Signal)
			signal.Reset(unix.SIGINT)
			cancel(exit.Signalled{Signal: s})
		}()
	})
}

// catchSignals has signals end the command in good order from now on, instead of at once.
func (s *session) catchSignals() {
	if s.env.CatchSignals != nil {
		s.env.CatchSignals()
	}
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
