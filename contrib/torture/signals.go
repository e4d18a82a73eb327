//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// loaded is a world with enough to do for a signal to come in between.
func (t *torture) loaded(delay time.Duration) *world {
	w := t.newWorld("")
	for i := range 20 {
		w.object(fmt.Sprintf("a%02d.json", i), does(i, "200"))
	}
	w.array("b.json", does(30, "200"), does(31, "200"), does(32, "500"), does(33, "200"), does(34, "200"), does(35, "400"))
	for i := range 20 {
		w.object(fmt.Sprintf("c%02d.json", i), does(40+i, "200"))
	}
	w.endpoint.answers(func(body string) answer {
		a := obliging(body)
		a.delay = delay
		return a
	})
	return w
}

// sigtermStorm ends runs with signals at random moments, several each. The
// requests in flight are let end, so that not one item is sent twice.
func sigtermStorm(t *torture, r *result) {
	n := t.rounds(100, 500)
	t.each(r, n, func(i int) { t.stormRound(r, t.random(i)) })
}

func (t *torture) stormRound(r *result, random *rand.Rand) {
	w := t.loaded(3 * time.Millisecond)
	defer w.end()
	var told [4]string
	for n := range 4 {
		p, err := w.spoolfwd("run", "--retry-timeout", "1ms", "-v").start()
		w.must(err)
		signals := 1 + random.IntN(3)
		for range signals {
			time.Sleep(time.Duration(random.IntN(25_000)) * time.Microsecond)
			_ = p.cmd.Process.Signal([]os.Signal{unix.SIGTERM, unix.SIGTERM, unix.SIGHUP}[random.IntN(3)])
		}
		o := p.wait()
		r.round(signals)
		w.check(r, "storm", o)
		// Before the program has got hold of the signal it is ended by it.
		early := o.signal == unix.SIGTERM || o.signal == unix.SIGHUP
		switch {
		case early, contains([]int{0, 65, 69, 129, 143}, o.code):
		default:
			r.fail("storm: exit code %d\n%s", o.code, o.tell())
		}
		w.checkStock(r, "storm", w.takeStock(), 0)
		told[n] = fmt.Sprintf("until %v: %s", time.Since(w.began), o.tell())
	}
	w.goOn(r, "storm", 0)
	if s := w.takeStock(); s.again > 0 {
		r.fail("storm: the runs: %s", strings.Join(told[:], "\n"))
	}
}

// stoppedHolder stops a run in the middle of its work, as a debugger, a frozen
// control group or a suspended machine does.
func stoppedHolder(t *torture, r *result) {
	for _, c := range []struct {
		name    string
		flags   []string
		pause   time.Duration
		allowed int
	}{
		{"stopped for a moment", nil, 300 * time.Millisecond, 0},
		// Answers that came in time are read too late to count: those of the
		// requests in flight.
		{"stopped for longer than the timeout", []string{"--timeout", "300ms"}, time.Second, 4},
	} {
		t.guard(r, func() {
			w := t.loaded(20 * time.Millisecond)
			defer w.end()
			p, err := w.spoolfwd("run", c.flags...).start()
			w.must(err)
			w.requests(5)
			w.must(p.cmd.Process.Signal(unix.SIGSTOP))
			begun := time.Now()
			for _, command := range [][]string{{"run"}, {"flush"}, {"breaker", "reset"}} {
				o, err := w.spoolfwd(command[0], command[1:]...).run()
				w.must(err)
				w.check(r, c.name, o)
				if o.code != 75 || o.took > 5*time.Second {
					r.fail("%s: another %s: want exit code 75 at once\n%s", c.name, command[0], o.tell())
				}
				if command[0] != "run" && !strings.Contains(o.stderr, fmt.Sprintf("process %d", p.cmd.Process.Pid)) {
					r.fail("%s: %s does not say who holds the lock\n%s", c.name, command[0], o.tell())
				}
			}
			time.Sleep(c.pause - time.Since(begun))
			w.must(p.cmd.Process.Signal(unix.SIGCONT))
			o := p.wait()
			r.round(1)
			w.check(r, c.name, o)
			w.checkStock(r, c.name, w.takeStock(), 0)
			w.goOn(r, c.name, c.allowed)
		})
	}
}

// requests waits until the listener has seen so many.
func (w *world) requests(n int) {
	for deadline := time.Now().Add(patience); w.endpoint.count() < n; {
		if time.Now().After(deadline) {
			w.must(fmt.Errorf("no %d requests within %v", n, patience))
		}
		time.Sleep(time.Millisecond)
	}
}

// lockCleaner deletes the lock file under runs, as a program that cleans up old
// files does. Two runs may then be at work at once, and each item be sent once by
// each, under one key; nothing else may happen.
func lockCleaner(t *torture, r *result) {
	t.each(r, t.rounds(10, 50), func(i int) {
		w := t.loaded(2 * time.Millisecond)
		defer w.end()
		stop := make(chan struct{})
		var deleted atomic.Int64
		var all sync.WaitGroup
		all.Go(func() {
			for !closed(stop) {
				if os.Remove(filepath.Join(w.state, "central_listener.lock")) == nil {
					deleted.Add(1)
				}
				time.Sleep(3 * time.Millisecond)
			}
		})
		var runs sync.WaitGroup
		const n = 4
		for range n {
			runs.Go(func() {
				t.guard(r, func() {
					o, err := w.spoolfwd("run", "--failure-threshold", "50").run()
					w.must(err)
					w.check(r, "cleaner", o)
					if !contains([]int{0, 65, 69, 74, 75}, o.code) || o.signal != syscall.Signal(0) {
						r.fail("cleaner: exit code %d\n%s", o.code, o.tell())
					}
				})
			})
		}
		runs.Wait()
		close(stop)
		all.Wait()
		r.round(int(deleted.Load()))
		allowed := (n - 1) * w.books.items()
		w.checkStock(r, "cleaner", w.takeStock(), allowed)
		w.goOn(r, "cleaner", allowed)
	})
}
