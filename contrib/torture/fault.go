//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// errnos are the errors that each call is made to fail with.
func errnos() []unix.Errno {
	return []unix.Errno{unix.EIO, unix.ENOSPC, unix.EDQUOT, unix.EROFS, unix.EACCES, unix.EMFILE, unix.ENOMEM, unix.EINTR}
}

// fault is one round of the matrix: calls that match fail with errno.
type fault struct {
	workload workload
	errno    unix.Errno
	where    string
	always   bool
	socket   bool
	match    func(c *call, p point) bool
}

func (f fault) String() string {
	how := "once"
	if f.always {
		how = "always"
	}
	return fmt.Sprintf("%s, %s fails %s with %s", f.workload.name, f.where, how, unix.ErrnoName(f.errno))
}

// faultMatrix lets the system calls of each workload fail, with each error: each call once, and
// each kind of call always.
func faultMatrix(t *torture, r *result) {
	var all []fault
	for _, l := range t.chosen() {
		if !l.crashOnly {
			all = append(all, t.faultsOf(l, r)...)
		}
	}
	r.notef("EINTR without end is only injected where the product calls the kernel itself: packages os and net, which do the rest, repeat such a call for ever")
	t.eachFault(all, r)
}

// eachFault plays faults, in CI a part of them.
func (t *torture) eachFault(all []fault, r *result) {
	var chosen []fault
	for i, f := range all {
		// In CI: one error for each call, another one for the next call; half of the faults that
		// stay.
		if !t.ci || (i+i/8)%8 == 0 || f.always && (i+i/8)%2 == 0 {
			chosen = append(chosen, f)
		}
	}
	t.each(r, len(chosen), func(i int) { t.faultRound(chosen[i], r) })
}

// faultsOf lists the faults of a workload by the calls that it makes when nothing fails.
func (t *torture) faultsOf(l workload, r *result) (all []fault) {
	var points []point
	sockets := map[point]bool{}
	t.play(l, eachFailable(func(c *call, p point) action {
		points = append(points, p)
		sockets[p] = c.socket()
		return action{}
	}), nil)
	if len(points) == 0 {
		r.failf("%s: the process made no system call", l.name)
	}
	kinds := map[string]bool{}
	for _, p := range points {
		name, _, _ := strings.Cut(p.call, " ")
		kind := name + " on files"
		if sockets[p] {
			kind = name + " on sockets"
		}
		for _, errno := range errnos() {
			all = append(all, fault{workload: l, errno: errno, where: p.String(), socket: sockets[p],
				match: func(_ *call, q point) bool { return p == q }})
		}
		if kinds[kind] {
			continue
		}
		kinds[kind] = true
		for _, errno := range errnos() {
			all = append(all, fault{workload: l, errno: errno, where: kind, always: true, socket: sockets[p],
				match: func(c *call, _ point) bool {
					return c.name == name && c.socket() == sockets[p] && survivable(c, errno)
				}})
		}
	}
	return all
}

// eachFailable asks decide at each call that may fail. These are not among them: calls on standard
// input, output and error, without which nothing can be reported; reads of Go's runtime below /sys
// and /proc before main; and its own wake-ups.
func eachFailable(decide func(c *call, p point) action) func(e *env, c *call) action {
	var n counter
	return func(e *env, c *call) action {
		if c.standard() || !c.socket() && !c.inside(e.dir) {
			return action{}
		}
		return decide(c, n.next(c))
	}
}

// survivable reports whether a call may fail always. Packages os and net repeat a call that returns
// EINTR without end, since no kernel does that for ever. The product's own calls give up after a
// while: those that name a file below an open directory, and those on files of the spool itself.
func survivable(c *call, errno unix.Errno) bool {
	return errno != unix.EINTR || c.below || c.fd >= 0 && strings.HasPrefix(c.target, "spool/") && !strings.HasPrefix(c.target, "spool/rejected/")
}

func (t *torture) faultRound(f fault, r *result) {
	var hits []*call
	l := f.workload
	if f.socket && strings.HasPrefix(f.where, "write") {
		// A listener that has not received a complete request does not answer, and the run waits.
		l.flags = append(l.flags[:len(l.flags):len(l.flags)], "--timeout", "200ms")
	}
	t.play(l, eachFailable(func(c *call, p point) action {
		if !f.match(c, p) {
			return action{}
		}
		hits = append(hits, c)
		return action{fail: f.errno}
	}), func(e *env, before inventory, o outcome) {
		label := f.String()
		r.round(len(hits))
		r.verbosef("%s: %d in %v, %s", label, o.code, o.took.Round(time.Millisecond), strings.ReplaceAll(strings.ReplaceAll(o.stderr, e.dir, "."), "\n", " | "))
		r.checkOutcome(label, o)
		e.countPut(o)
		e.checkReported(r, label, f, hits, o)
		r.checkInventory(label+": then", e.takeInventory(), before.repeated+f.repeats(e))
		e.checkState(r, label+": then", f.states())
		e.finish(r, label, before.repeated+f.repeats(e))
	})
}

// repeats is how many items a fault may cause to be sent again. One fault of the disk causes none:
// an item that is delivered and cannot be removed is remembered, unless the index itself cannot be
// read. A fault of a socket hides an answer.
func (f fault) repeats(e *env) int {
	switch {
	case f.workload.once:
		return 0
	case f.workload.name == "undeletable" && (f.always || strings.Contains(f.where, ".index")):
		return e.spooled.items()
	case f.socket && f.always:
		return e.spooled.items()
	case f.socket:
		return max(1, f.workload.inHand) // the answer to a batch is that of several items
	case f.always:
		return e.spooled.inFlight(1)
	}
	return 0
}
