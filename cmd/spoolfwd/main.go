package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
)

func main() {
	// A smaller heap is worth a little CPU: most of it is the list of entries of a large spool,
	// which holds no pointers and costs the collector nothing.
	debug.SetGCPercent(50)
	cli.HelpFlag = nil // the library would look for its own, with a regular expression
	ignorePipe()
	ctx, cancel := context.WithCancelCause(context.Background())
	os.Exit(run(ctx, Env{
		Args:            os.Args,
		Stdin:           os.Stdin,
		Stdout:          os.Stdout,
		Stderr:          os.Stderr,
		Environ:         os.Environ(),
		ConfigFile:      "/etc/spoolfwd/spoolfwd.toml",
		Credstores:      []string{"/etc/credstore", "/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore"},
		CatchSignals:    signalCatcher(cancel),
		Now:             time.Now,
		Wait:            waitFor,
		MachineID:       breaker.MachineID,
		Become:          become,
		StdinIsTerminal: console.IsTerminal(os.Stdin),
		StderrIs:        console.KindOf(os.Stderr, os.Getenv("JOURNAL_STREAM")),
	}))
}
