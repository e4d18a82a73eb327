//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// crashMatrix kills each workload before each of its system calls that change something, and lets
// the next run go on from there.
//
// A process that is killed between two calls leaves what the first of them left, so killing it
// before each call covers every moment. The matrix of a workload is complete when a run ends
// without having reached its point, and when every call of the undisturbed run was a point.
func crashMatrix(t *torture, r *result) {
	for _, l := range t.chosen() {
		kills := t.crashWorkload(l, r)
		r.verbosef("%-12s killed at %d points", l.name, kills)
	}
}

// point is a system call of a workload: the nth of its kind about its target.
type point struct {
	call string
	nth  int
}

func (p point) String() string { return fmt.Sprintf("%s (number %d)", p.call, p.nth) }

// steady reports whether a point comes in every run. How often a socket is read before the answer
// has arrived is chance, and so is a call about a handle that has no name when it is looked up.
func (p point) steady() bool {
	return !strings.HasSuffix(p.call, " socket") && !strings.HasSuffix(p.call, " ")
}

// counter numbers the calls of one process.
type counter struct {
	all  int
	seen map[string]int
}

func (n *counter) next(c *call) point {
	if n.seen == nil {
		n.seen = map[string]int{}
	}
	n.all++
	n.seen[c.String()]++
	return point{c.String(), n.seen[c.String()]}
}

func (t *torture) crashWorkload(l workload, r *result) (kills int) {
	var undisturbed []point
	t.crashRound(l, r, func(p point, _ int) bool { undisturbed = append(undisturbed, p); return false })
	if len(undisturbed) == 0 {
		r.failf("%s: the process made no system call", l.name)
	}
	var mu sync.Mutex
	hit := map[point]bool{}
	try := func(when func(p point, all int) bool) (killed bool) {
		t.crashRound(l, r, func(p point, all int) bool {
			if !when(p, all) {
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			hit[p] = true
			kills++
			killed = true
			return true
		})
		return killed
	}
	t.each(r, len(undisturbed), func(i int) { try(func(_ point, all int) bool { return all == i+1 }) })
	for k := len(undisturbed) + 1; k < 10*len(undisturbed) && try(func(_ point, all int) bool { return all == k }); k++ {
	}
	for _, p := range undisturbed {
		if l.concurrency > 1 || !p.steady() {
			continue
		}
		for n := 0; n < 5 && !hit[p]; n++ {
			try(func(q point, _ int) bool { return p == q })
		}
		if !hit[p] {
			r.failf("%s: never killed at %v", l.name, p)
		}
	}
	return kills
}

// crashRound plays a workload once. killAt says at which call it is killed.
func (t *torture) crashRound(l workload, r *result, killAt func(p point, all int) bool) {
	var n counter
	var killed *point
	t.play(l, func(e *env, c *call) action {
		if c.alters() && !c.inside(e.dir) {
			r.failf("%s: it changes a file that is not its own: %v", l.name, c)
		}
		if !changes(c.name) || strings.HasPrefix(c.path, "anon_inode:") { // the runtime's wake-ups
			return action{}
		}
		if p := n.next(c); killAt(p, n.all) {
			killed = &p
			return action{kill: true}
		}
		return action{}
	}, func(e *env, before inventory, o outcome) {
		label := l.name + ", not killed"
		repeats, faults := 0, 0
		states := l.end()
		if killed != nil {
			label = fmt.Sprintf("%s, killed at %v", l.name, *killed)
			repeats, faults = e.spooled.inFlight(max(1, l.inHand)), 1
			if l.once {
				repeats = 0
			}
			states = l.states()
			if o.signal != unix.SIGKILL {
				r.failf("%s: the process was not killed: %v", label, o)
			}
		}
		r.round(faults)
		r.checkOutcome(label, o)
		e.countPut(o)
		r.checkInventory(label+": then", e.takeInventory(), before.repeated)
		if !l.crashOnly {
			e.checkState(r, label+": then", states)
		}
		e.finish(r, label, before.repeated+repeats)
	})
}
