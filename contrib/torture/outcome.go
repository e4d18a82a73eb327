//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// outcome is how a process ended.
type outcome struct {
	args           []string
	code           int            // exit code; -1: a signal ended it
	signal         syscall.Signal // 0: none
	stdout, stderr string
	took           time.Duration
	hung           bool
}

func (o outcome) String() string {
	end := fmt.Sprintf("exit code %d", o.code)
	if o.signal != 0 {
		end = "killed by " + unix.SignalName(o.signal)
	}
	return fmt.Sprintf("%s after %v\nstdout: %s\nstderr: %s", end, o.took, shortened(o.stdout), shortened(o.stderr))
}

func shortened(text string) string {
	if at := strings.Index(text, "goroutine 1 "); at > 0 { // where it hangs
		text = text[at:]
	}
	if len(text) > 700 {
		return text[:700] + "..."
	}
	return text
}

// checkOutcome checks what every process must hold to under every fault: it does not hang, it does
// not panic, and its exit code is documented.
func (r *result) checkOutcome(label string, o outcome) {
	switch {
	case o.hung:
		r.failf("%s: the process hangs\n%s", label, o)
	case strings.Contains(o.stderr, "panic:"), strings.Contains(o.stderr, "goroutine "), strings.Contains(o.stderr, "fatal error:"):
		r.failf("%s: the process panicked\n%s", label, o)
	}
	switch o.code {
	case -1, 0, 64, 65, 69, 73, 74, 75, 77, 78, 129, 130, 143:
	default:
		r.failf("%s: exit code %d is not documented\n%s", label, o.code, o)
	}
}

// checkInventory fails for items that are lost, for everything else that is wrong, and for more
// repeated deliveries than the fault allows.
func (r *result) checkInventory(label string, i inventory, allowed int) {
	for _, text := range i.lost {
		r.failf("%s: LOST: %s", label, text)
	}
	for _, text := range i.wrong {
		r.failf("%s: %s", label, text)
	}
	if i.repeated > allowed {
		r.failf("%s: %d deliveries were repeated, and at most %d may be: %v", label, i.repeated, allowed, i.examples)
	}
}
