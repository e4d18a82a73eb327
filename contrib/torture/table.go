//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// table prints a line per scenario as soon as it has ended.
type table struct {
	w       io.Writer
	o       options
	rounds  int
	faults  int
	items   int
	lost    int
	again   int
	failed  []string
	skipped []string
	begun   time.Time
}

const rowFormat = "%-18s %8s %8s %9s %6s %6s %9s  %s\n"

func newTable(w io.Writer, o options) *table {
	fmt.Fprintf(w, "seed %d\n", o.seed)
	fmt.Fprintf(w, rowFormat, "scenario", "rounds", "faults", "items", "lost", "again", "time", "")
	return &table{w: w, o: o, begun: time.Now()}
}

func (t *table) row(s scenario, r *result) {
	verdict := "ok"
	switch {
	case r.skipped != "":
		verdict = "NOT RUN: " + r.skipped
		t.skipped = append(t.skipped, s.name)
	case len(r.wrong) > 0 || r.lost > 0:
		verdict = "FAILED"
		t.failed = append(t.failed, s.name)
	}
	number := func(n int) string { return fmt.Sprint(n) }
	fmt.Fprintf(t.w, rowFormat, s.name, number(r.rounds), number(r.faults), number(r.items), number(r.lost), number(r.again),
		r.took.Round(10*time.Millisecond).String(), verdict)
	for _, text := range r.notes {
		fmt.Fprintf(t.w, "    %s\n", text)
	}
	for _, text := range r.wrong {
		fmt.Fprintf(t.w, "  ! %s\n", strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    "))
	}
	if r.unsaid > 0 {
		fmt.Fprintf(t.w, "  ! and %d more\n", r.unsaid)
	}
	t.rounds += r.rounds
	t.faults += r.faults
	t.items += r.items
	t.lost += r.lost
	t.again += r.again
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
	fmt.Fprintf(t.w, rowFormat, "all", fmt.Sprint(t.rounds), fmt.Sprint(t.faults), fmt.Sprint(t.items), fmt.Sprint(t.lost), fmt.Sprint(t.again),
		time.Since(t.begun).Round(10*time.Millisecond).String(), verdict)
	return code
}

// list prints what there is.
func list(w io.Writer) {
	for _, s := range scenarios() {
		fmt.Fprintf(w, "%-18s %s\n", s.name, s.proves)
	}
}
