package main

import (
	"testing"

	"go.uber.org/goleak"
)

// run does not return before everything it started has ended.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/signal.loop")) // the process's own
}
