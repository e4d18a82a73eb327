package main

import (
	"context"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// streamKind says what stands behind standard error, which decides how a line
// on it should look.
type streamKind int

const (
	streamOther    streamKind = iota // a pipe, a mail being composed by cron
	streamTerminal                   // a person: progress is welcome
	streamJournal                    // journald: it wants a priority and adds the time
	streamFile                       // a log file: lines carry the time
)

// streamKindOf inspects an open file. JOURNAL_STREAM holds "device:inode" of the
// journal's socket; the variable is inherited by children whose output goes
// elsewhere, so only equal numbers count (systemd.exec(5)).
func streamKindOf(f *os.File, journalStream string) streamKind {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return streamOther
	}
	device, inode, ok := strings.Cut(journalStream, ":")
	if ok && device == strconv.FormatUint(uint64(st.Dev), 10) && inode == strconv.FormatUint(uint64(st.Ino), 10) {
		return streamJournal
	}
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFREG:
		return streamFile
	case isTerminal(f):
		return streamTerminal
	}
	return streamOther
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// catchSignals returns a context that the first SIGINT, SIGTERM or SIGHUP
// cancels with an exit.Signalled cause. Signals that the parent process chose to ignore
// (nohup, a background job of a script) stay ignored. Later signals change
// nothing, since the end is near and bounded by the timeouts, but a second
// SIGINT kills: a person at a terminal means it.
//
// Signals are caught from the moment the context is first asked whether it has
// ended: that starts threads, and takes longer than the rest of a run that finds an
// empty spool. Before, which in a run is before it has found a payload file, a signal
// kills, and there is nothing yet to bring to an end.
//
// SIGPIPE is ignored: a reader of our output that goes away must not end a run
// between a delivery and the removal of its payload file.
func catchSignals(parent context.Context) context.Context {
	signal.Ignore(unix.SIGPIPE)
	ctx, cancel := context.WithCancelCause(parent)
	return &signalContext{Context: ctx, begin: sync.OnceFunc(func() {
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
	})}
}

// signalContext begins to catch signals when it is first asked.
type signalContext struct {
	context.Context
	begin func()
}

func (c *signalContext) Done() <-chan struct{} {
	c.begin()
	return c.Context.Done()
}

func (c *signalContext) Err() error {
	c.begin()
	return c.Context.Err()
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

// machineID returns systemd's machine id, or D-Bus's, or the host name. Two
// machines that share one (a cloned image) only weaken what it is used for:
// jitter, and telling equal payload files of two machines apart.
func machineID() string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if b, err := os.ReadFile(path); err == nil {
			if id := strings.TrimSpace(string(b)); id != "" && id != "uninitialized" {
				return id
			}
		}
	}
	name, _ := os.Hostname()
	return name
}
