package main

import (
	"context"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
)

func main() {
	// The heap may grow by half of what is in use, not to twice of it, before it is
	// cleaned up: most of it is the window on a large spool, and no work to clean.
	debug.SetGCPercent(50)
	os.Exit(run(catchSignals(context.Background()), Env{
		Args:            os.Args,
		Stdin:           os.Stdin,
		Stdout:          os.Stdout,
		Stderr:          os.Stderr,
		Environ:         os.Environ(),
		ConfigFile:      "/etc/spoolfwd/spoolfwd.toml",
		Now:             time.Now,
		Wait:            waitFor,
		MachineID:       sync.OnceValue(machineID),
		StdinIsTerminal: console.IsTerminal(os.Stdin),
		StderrIs:        console.KindOf(os.Stderr, os.Getenv("JOURNAL_STREAM")),
	}))
}
