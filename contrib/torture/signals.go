//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// newBusyEnv makes an environment whose run takes a while, so that a signal hits it at work.
func (t *torture) newBusyEnv(delay time.Duration) *env {
	e := t.newEnv("")
	for i := range 20 {
		e.object(fmt.Sprintf("a%02d.json", i), item(i, "200"))
	}
	e.array("b.json", item(30, "200"), item(31, "200"), item(32, "500"), item(33, "200"), item(34, "200"), item(35, "400"))
	for i := range 20 {
		e.object(fmt.Sprintf("c%02d.json", i), item(40+i, "200"))
	}
	e.endpoint.answers(func(body string) answer {
		a := answerAsAsked(body)
		a.delay = delay
		return a
	})
	return e
}

// sigterm ends runs with signals at random moments, several each. The requests in flight are
// finished, so that no item is sent twice.
func sigterm(t *torture, r *result) {
	t.each(r, t.rounds(100, 500), func(i int) { t.sigtermRound(r, t.random(i)) })
}

func (t *torture) sigtermRound(r *result, random *rand.Rand) {
	e := t.newBusyEnv(3 * time.Millisecond)
	defer e.end()
	var outcomes []string
	for range 4 {
		p, err := e.spoolfwd("run", "--retry-timeout", "1ms", "-v").start()
		e.must(err)
		signals := 1 + random.IntN(3)
		for range signals {
			time.Sleep(time.Duration(random.IntN(25_000)) * time.Microsecond)
			_ = p.cmd.Process.Signal([]os.Signal{unix.SIGTERM, unix.SIGTERM, unix.SIGHUP}[random.IntN(3)])
		}
		o := p.wait()
		r.round(signals)
		r.checkOutcome("sigterm", o)
		// A signal that comes before the program catches signals kills it.
		early := o.signal == unix.SIGTERM || o.signal == unix.SIGHUP
		if !early && !slices.Contains([]int{0, 65, 69, 129, 143}, o.code) {
			r.failf("sigterm: exit code %d\n%s", o.code, o)
		}
		r.checkInventory("sigterm", e.takeInventory(), 0)
		outcomes = append(outcomes, fmt.Sprintf("until %v: %s", time.Since(e.began), o))
	}
	e.finish(r, "sigterm", 0)
	if i := e.takeInventory(); i.repeated > 0 {
		r.failf("sigterm: the runs: %s", strings.Join(outcomes, "\n"))
	}
}

// stoppedHolder stops a run in the middle of its work, as a debugger, a frozen control group or a
// suspended machine does. No item is sent twice.
func stoppedHolder(t *torture, r *result) {
	for _, c := range []struct {
		name  string
		flags []string
		pause time.Duration
	}{
		{"stopped for a moment", nil, 300 * time.Millisecond},
		// The answers to the requests in flight came in time and are read too late.
		{"stopped for longer than the timeout", []string{"--timeout", "300ms"}, time.Second},
	} {
		t.guard(r, func() {
			e := t.newBusyEnv(20 * time.Millisecond)
			defer e.end()
			p, err := e.spoolfwd("run", c.flags...).start()
			e.must(err)
			e.waitForRequests(5)
			e.must(p.cmd.Process.Signal(unix.SIGSTOP))
			begun := time.Now()
			for _, command := range [][]string{{"run"}, {"flush"}, {"breaker", "reset"}} {
				o := e.runToEnd(r, c.name, e.spoolfwd(command[0], command[1:]...))
				if o.code != 75 || o.took > 5*time.Second {
					r.failf("%s: another %s: want exit code 75 at once\n%s", c.name, command[0], o)
				}
				if command[0] != "run" && !strings.Contains(o.stderr, fmt.Sprint(p.cmd.Process.Pid)) {
					r.failf("%s: %s does not say who holds the lock\n%s", c.name, command[0], o)
				}
			}
			time.Sleep(c.pause - time.Since(begun))
			e.must(p.cmd.Process.Signal(unix.SIGCONT))
			o := p.wait()
			r.round(1)
			r.checkOutcome(c.name, o)
			r.checkInventory(c.name, e.takeInventory(), 0)
			e.finish(r, c.name, 0)
		})
	}
}
