//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// faults are the errors that each call is made to fail with.
func faults() []unix.Errno {
	return []unix.Errno{unix.EIO, unix.ENOSPC, unix.EDQUOT, unix.EROFS, unix.EACCES, unix.EMFILE, unix.ENOMEM, unix.EINTR}
}

// fault is one round of the matrix: calls that match fail with errno.
type fault struct {
	story  story
	errno  unix.Errno
	where  string
	always bool
	socket bool
	match  func(c *call, p point) bool
}

func (f fault) String() string {
	how := "once"
	if f.always {
		how = "always"
	}
	return fmt.Sprintf("%s, %s fails %s with %s", f.story.name, f.where, how, unix.ErrnoName(f.errno))
}

// faultMatrix lets each system call of each story fail: once at every point, and
// always for every kind of call; with each error.
func faultMatrix(t *torture, r *result) {
	var all []fault
	for _, s := range t.chosen() {
		if s.faultless {
			continue
		}
		all = append(all, t.faultsOf(s, r)...)
	}
	left := all[:0]
	for i, f := range all {
		// One error per point, the next one for the next; half of those that
		// stay.
		if !t.ci || (i+i/8)%8 == 0 || f.always && (i+i/8)%2 == 0 {
			left = append(left, f)
		}
	}
	r.note("EINTR without end is only injected where the product calls the kernel itself: packages os and net, which do the rest, repeat such a call for ever")
	t.each(r, len(left), func(i int) { t.faultRound(left[i], r) })
}

// faultsOf lists the faults of a story by the calls that it makes when nothing
// fails.
//
// Left out are standard input, output and error, which are no files of ours and
// without which nobody can be told anything; what Go's runtime looks up below
// /sys and /proc before main; and its own wake-ups.
func (t *torture) faultsOf(s story, r *result) (all []fault) {
	var points []point
	sockets := map[point]bool{}
	kinds := map[string]bool{}
	var mu sync.Mutex
	t.storyRound(s, func(c *call, p point) verdict {
		mu.Lock()
		defer mu.Unlock()
		points = append(points, p)
		sockets[p] = c.socket()
		kinds[c.name] = kinds[c.name] || c.socket()
		return verdict{}
	}, nil)
	if len(points) == 0 {
		r.fail("%s: the process made no system call", s.name)
	}
	done := map[string]bool{}
	for _, p := range points {
		for _, errno := range faults() {
			all = append(all, fault{story: s, errno: errno, where: p.String(), socket: sockets[p],
				match: func(_ *call, q point) bool { return p == q }})
		}
		name, _, _ := strings.Cut(p.call, " ")
		kind := fmt.Sprintf("%s on files", name)
		if sockets[p] {
			kind = fmt.Sprintf("%s on sockets", name)
		}
		if done[kind] {
			continue
		}
		done[kind] = true
		for _, errno := range faults() {
			all = append(all, fault{story: s, errno: errno, where: kind, always: true, socket: sockets[p],
				match: func(c *call, _ point) bool { return c.name == name && c.socket() == sockets[p] && survivable(c, errno) }})
		}
	}
	return all
}

// survivable reports whether a call may fail always. Packages os and net repeat
// one that returns EINTR without end, since no kernel does that for ever. The
// product's own calls give up after a while: those that name a file below an open
// directory, and those on files of the spool itself.
func survivable(c *call, errno unix.Errno) bool {
	return errno != unix.EINTR || c.below || c.fd >= 0 && strings.HasPrefix(c.object, "spool/") && !strings.HasPrefix(c.object, "spool/rejected/")
}

// storyRound plays a story once under decide, which is asked at every call that
// may fail. then is called with what came of it, the world still there.
func (t *torture) storyRound(s story, decide func(c *call, p point) verdict, then func(w *world, before stock, o outcome)) {
	w := t.newWorld("")
	defer w.end()
	w.endpoint.answers(obliging)
	s.build(w)
	before := w.takeStock()
	seen := map[string]int{}
	p := s.program(w)
	p.watch = &interceptor{root: w.dir, decide: func(c *call) verdict {
		if c.standard() || !c.socket() && !c.inside(w.dir) {
			return verdict{}
		}
		seen[c.String()]++
		return decide(c, point{c.String(), seen[c.String()]})
	}}
	o, err := p.run()
	w.must(err)
	if then != nil {
		then(w, before, o)
	}
}

func (t *torture) faultRound(f fault, r *result) {
	var hits []*call
	decide := func(c *call, p point) verdict {
		if !f.match(c, p) {
			return verdict{}
		}
		hits = append(hits, c)
		return verdict{fail: f.errno}
	}
	if f.socket && strings.HasPrefix(f.where, "write") {
		// A listener that has not got a whole request says nothing, and is
		// waited for.
		f.story.flags = append(f.story.flags[:len(f.story.flags):len(f.story.flags)], "--timeout", "200ms")
	}
	t.storyRound(f.story, decide, func(w *world, before stock, o outcome) {
		label := f.String()
		r.round(len(hits))
		r.say("%s: %d in %v, %s", label, o.code, o.took.Round(time.Millisecond), strings.ReplaceAll(strings.ReplaceAll(o.stderr, w.dir, "."), "\n", " | "))
		w.check(r, label, o)
		w.putDone(o)
		w.judge(r, label, f, hits, o)
		w.checkStock(r, label+": then", w.takeStock(), before.again+f.duplicates(w))
		w.checkState(r, label+": then", f.states())
		w.goOn(r, label, before.again+f.duplicates(w))
	})
}

// duplicates is how many items a fault may cause to be sent again. A fault of
// the disk that comes alone causes none: what is delivered and cannot be removed
// is remembered, unless the memory itself is what cannot be read. One on a
// socket hides an answer.
func (f fault) duplicates(w *world) int {
	switch {
	case f.story.name == "undeletable" && (f.always || strings.Contains(f.where, ".index")):
		return w.books.items()
	case f.socket && f.always:
		return w.books.items()
	case f.socket:
		return max(1, f.story.inHand) // a batch's answer is that of several
	case f.always:
		return w.books.inFlight(1)
	}
	return 0
}
