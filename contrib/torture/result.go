//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// result is what became of a scenario. It is safe for concurrent use.
type result struct {
	verbose bool

	mu      sync.Mutex
	rounds  int
	faults  int // injected
	items   int
	lost    int
	again   int
	skipped string   // why it could not run here
	notes   []string // what a reader of the table should know
	wrong   []string // each one fails the scenario
	unsaid  int      // those that were too many to keep
	took    time.Duration
}

// maxWrong bounds how much is printed of a scenario that goes wrong throughout.
const maxWrong = 20

// fail records something that must not be.
func (r *result) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.wrong) >= maxWrong {
		r.unsaid++
		r.say("! %s", text)
		return
	}
	r.wrong = append(r.wrong, text)
}

// note records what is worth a line below the table's.
func (r *result) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// say prints with -v.
func (r *result) say(format string, args ...any) {
	if r.verbose {
		fmt.Printf("    "+format+"\n", args...)
	}
}

// round counts a round and the faults injected in it.
func (r *result) round(faults int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rounds++
	r.faults += faults
}

// count adds what the last stock of a world says to the table.
func (r *result) count(s stock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items += s.items
	r.lost += len(s.lost)
	r.again += s.again
}

// skip says why the scenario cannot run on this machine.
func (r *result) skip(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skipped = fmt.Sprintf(format, args...)
}

// play runs a scenario to its end, whatever happens in it.
func (t *torture) play(s scenario, r *result) {
	begun := time.Now()
	t.guard(r, func() { s.run(t, r) })
	r.took = time.Since(begun)
}

// guard turns the panic of a broken world into a failure.
func (t *torture) guard(r *result, do func()) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case trouble:
			r.fail("the test itself is in trouble: %v\n%s", p.err, caller())
		default:
			fmt.Fprintf(os.Stderr, "torture: %v\n%s", p, debug.Stack())
			r.fail("the test itself panicked: %v", p)
		}
	}()
	do()
}

func caller() []byte { return debug.Stack() }

// each plays n rounds, as many at a time as there are jobs.
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
