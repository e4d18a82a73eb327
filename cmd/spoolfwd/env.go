package main

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
)

// Env is everything that run takes from the process and the machine.
type Env struct {
	Args   []string // with the program's name first, as os.Args
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer

	// Patience is how long a write to these two may take while the lock is held; 0 stands for 5s.
	Patience time.Duration
	Environ  []string // "NAME=value", as os.Environ; the last of equal names counts

	// ConfigFile is read when it exists and no other is named; "" stands for none.
	ConfigFile string

	// Credstores is where root finds the token of the unit, as systemd does; none: nowhere.
	Credstores []string

	// CatchSignals is called when signals must no longer end the process at once, but the context
	// of run; nil stands for a context that its owner ends.
	CatchSignals func()

	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error // returns early with the context's cause

	// Dial opens the connections to the listener and to proxies; nil stands for a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// MachineID returns the id of this machine, or "" if it has none. It is called only by commands
	// that need it.
	MachineID func() string

	// Become makes the process another user's for good. It is called only when root started the
	// program, on a spool of that user's.
	Become func(uid, gid int, groups []int) error

	StdinIsTerminal bool
	StderrIs        console.StreamKind
}

// getenv returns the value of an environment variable, or "", as os.Getenv.
func (e Env) getenv(name string) string {
	prefix := name + "="
	for _, entry := range slices.Backward(e.Environ) {
		if value, found := strings.CutPrefix(entry, prefix); found {
			return value
		}
	}
	return ""
}
