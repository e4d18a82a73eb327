//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// table prints a line for each scenario as soon as it has ended.
type table struct {
	w       io.Writer
	o       options
	sum     result
	failed  []string
	skipped []string
	begun   time.Time
}

const rowFormat = "%-18s %8v %8v %9v %6v %8v %9v  %s\n"

func newTable(w io.Writer, o options) *table {
	fmt.Fprintf(w, "seed %d\n", o.seed)
	fmt.Fprintf(w, rowFormat, "scenario", "rounds", "faults", "items", "lost", "repeated", "time", "")
	return &table{w: w, o: o, begun: time.Now()}
}

func (t *table) row(s scenario, r *result) {
	verdict := "ok"
	switch {
	case r.skipped != "":
		verdict = "NOT RUN: " + r.skipped
		t.skipped = append(t.skipped, s.name)
	case len(r.failures) > 0 || r.lost > 0:
		verdict = "FAILED"
		t.failed = append(t.failed, s.name)
	}
	t.print(s.name, r, r.took, verdict)
	for _, text := range r.notes {
		fmt.Fprintf(t.w, "    %s\n", text)
	}
	for _, text := range r.failures {
		fmt.Fprintf(t.w, "  ! %s\n", strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    "))
	}
	if r.more > 0 {
		fmt.Fprintf(t.w, "  ! and %d more\n", r.more)
	}
	t.sum.rounds += r.rounds
	t.sum.faults += r.faults
	t.sum.items += r.items
	t.sum.lost += r.lost
	t.sum.repeated += r.repeated
}

func (t *table) print(name string, r *result, took time.Duration, verdict string) {
	fmt.Fprintf(t.w, rowFormat, name, r.rounds, r.faults, r.items, r.lost, r.repeated, took.Round(10*time.Millisecond), verdict)
}

// end prints the sums and returns the exit code.
func (t *table) end() int {
	code, verdict := 0, "ok"
	if len(t.skipped) > 0 {
		verdict = "ok, but not run: " + strings.Join(t.skipped, ", ")
		if t.o.require {
			code = 1
		}
	}
	if len(t.failed) > 0 {
		code, verdict = 1, "FAILED: "+strings.Join(t.failed, ", ")
	}
	t.print("all", &t.sum, time.Since(t.begun), verdict)
	return code
}

// list prints all scenarios.
func list(w io.Writer) {
	for _, s := range scenarios() {
		fmt.Fprintf(w, "%-18s %s\n", s.name, s.proves)
	}
}
