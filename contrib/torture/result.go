//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// result is the result of one scenario. It is safe for concurrent use.
type result struct {
	verbose bool

	mu       sync.Mutex
	rounds   int
	faults   int // injected
	items    int
	lost     int
	repeated int
	skipped  string   // why it could not run here
	notes    []string // printed below the scenario's line
	failures []string // each one fails the scenario
	more     int      // failures beyond maxFailures
	took     time.Duration
}

// maxFailures bounds what is printed of a scenario that goes wrong throughout.
const maxFailures = 20

// failf records a failure.
func (r *result) failf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failures) >= maxFailures {
		r.more++
		r.verbosef("! %s", text)
		return
	}
	r.failures = append(r.failures, text)
}

func (r *result) notef(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *result) verbosef(format string, args ...any) {
	if r.verbose {
		fmt.Printf("    "+format+"\n", args...)
	}
}

// skipf says why the scenario cannot run on this machine.
func (r *result) skipf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skipped = fmt.Sprintf(format, args...)
}

// round counts a round and the faults injected in it.
func (r *result) round(faults int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rounds++
	r.faults += faults
}

// count adds the last inventory of an environment.
func (r *result) count(i inventory) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items += i.items
	r.lost += len(i.lost)
	r.repeated += i.repeated
}

// runScenario runs a scenario to its end.
func (t *torture) runScenario(s scenario, r *result) {
	begun := time.Now()
	t.guard(r, func() { s.run(t, r) })
	r.took = time.Since(begun)
}

// guard turns a panic in a round into a failure.
func (t *torture) guard(r *result, do func()) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case testError:
			r.failf("the test itself failed: %v\n%s", p.err, debug.Stack())
		default:
			fmt.Fprintf(os.Stderr, "torture: %v\n%s", p, debug.Stack())
			r.failf("the test itself panicked: %v", p)
		}
	}()
	do()
}

// each runs n rounds, as many at a time as there are jobs.
func (t *torture) each(r *result, n int, round func(i int)) {
	var wait sync.WaitGroup
	next := make(chan int)
	for range min(t.jobs, n) {
		wait.Go(func() {
			for i := range next {
				t.guard(r, func() { round(i) })
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wait.Wait()
}
