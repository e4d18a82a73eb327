package main

import (
	"testing"

	"go.uber.org/goleak"
)

// run does not return before everything it started has ended. What catches signals
// is the process's, and stays.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("os/signal.loop"),
		goleak.IgnoreAnyFunction("github.com/bitville-apm/spoolfwd/cmd/spoolfwd.catchSignals.func1.1"),
	)
}
