//go:build linux && (amd64 || arm64)

package main

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// concurrentRuns starts fifty runs at once. One of them drains, and the others leave.
func concurrentRuns(t *torture, r *result) {
	for range t.rounds(5, 20) {
		t.guard(r, func() {
			e := t.newBusyEnv(2 * time.Millisecond)
			defer e.end()
			busy := 0
			for _, o := range e.runTogether(r, 50) {
				if o.code == 75 {
					busy++
				}
				if o.code == 75 && o.stderr != "" {
					r.failf("a run that finds another one at work writes a message\n%s", o)
				}
			}
			if busy == 0 {
				r.failf("no run found another one at work")
			}
			r.round(50)
			r.checkInventory("concurrent", e.takeInventory(), 0)
			e.finish(r, "concurrent", 0)
		})
	}
}

// lockCleaner deletes the lock file under four runs, as a program that cleans up old files does.
// Several runs may then work at once, and each of them may send each item, under its one key;
// nothing else may happen.
func lockCleaner(t *torture, r *result) {
	const runs = 4
	t.each(r, t.rounds(10, 50), func(int) {
		e := t.newBusyEnv(2 * time.Millisecond)
		defer e.end()
		stop := make(chan struct{})
		var deleted atomic.Int64
		var cleaner sync.WaitGroup
		cleaner.Go(func() {
			for !isClosed(stop) {
				if os.Remove(filepath.Join(e.state, "central_listener.lock")) == nil {
					deleted.Add(1)
				}
				time.Sleep(3 * time.Millisecond)
			}
		})
		e.runTogether(r, runs)
		close(stop)
		cleaner.Wait()
		r.round(int(deleted.Load()))
		allowed := (runs - 1) * e.spooled.items()
		r.checkInventory("lock-cleaner", e.takeInventory(), allowed)
		e.finish(r, "lock-cleaner", allowed)
	})
}

// runTogether starts n runs at once and waits for them.
func (e *env) runTogether(r *result, n int) []outcome {
	outcomes := make([]outcome, n)
	var runs sync.WaitGroup
	for i := range n {
		runs.Go(func() {
			e.t.guard(r, func() {
				o := e.runToEnd(r, "together", e.spoolfwd("run", "--failure-threshold", "50"))
				// 78: with the lock file deleted, a run still finds the spool itself locked.
				if !slices.Contains([]int{0, 65, 69, 74, 75, 78}, o.code) {
					r.failf("one of several runs: exit code %d\n%s", o.code, o)
				}
				outcomes[i] = o
			})
		})
	}
	runs.Wait()
	return outcomes
}
