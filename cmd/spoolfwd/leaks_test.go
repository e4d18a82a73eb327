package main

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes sure that run does not return before everything that it started has ended.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/signal.loop")) // the process's own
}
