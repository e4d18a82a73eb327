package main

import (
	"context"
	"os"
	"sync"
	"time"
)

func main() {
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
		StdinIsTerminal: isTerminal(os.Stdin),
		StderrIs:        streamKindOf(os.Stderr, os.Getenv("JOURNAL_STREAM")),
	}))
}
