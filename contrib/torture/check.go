//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// tell is an outcome in words.
func (o outcome) tell() string {
	end := fmt.Sprintf("exit code %d", o.code)
	if o.signal != 0 {
		end = "killed by " + unix.SignalName(o.signal)
	}
	return fmt.Sprintf("%s after %v\nstdout: %s\nstderr: %s", end, o.took, clip(o.stdout), clip(o.stderr))
}

func clip(text string) string {
	if at := strings.Index(text, "goroutine 1 "); at > 0 { // where it hangs
		text = text[at:]
	}
	if len(text) > 700 {
		return text[:700] + "..."
	}
	return text
}

// check is what every process must hold to, whatever happened to it: it does not
// hang, it does not panic, and its exit code is one of the table's.
func (w *world) check(r *result, label string, o outcome) {
	switch {
	case o.hung:
		r.fail("%s: the process hangs\n%s", label, o.tell())
	case strings.Contains(o.stderr, "panic:") || strings.Contains(o.stderr, "goroutine ") || strings.Contains(o.stderr, "fatal error:"):
		r.fail("%s: the process panicked\n%s", label, o.tell())
	}
	switch o.code {
	case -1, 0, 64, 65, 69, 73, 74, 75, 77, 78, 129, 130, 143:
	default:
		r.fail("%s: exit code %d is not in the table\n%s", label, o.code, o.tell())
	}
}

// checkStock fails for what is lost or wrong, and for more duplicates than the
// fault allows.
func (w *world) checkStock(r *result, label string, s stock, allowed int) {
	for _, text := range s.lost {
		r.fail("%s: LOST: %s", label, text)
	}
	for _, text := range s.wrong {
		r.fail("%s: %s", label, text)
	}
	if s.again > allowed {
		r.fail("%s: %d items were delivered again, and no more than %d may be: %v", label, s.again, allowed, s.twice)
	}
}
