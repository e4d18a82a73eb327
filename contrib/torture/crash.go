//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// crashMatrix kills each story before each of its system calls that change
// something, and lets the next run go on from what is left.
//
// A process that is killed between two calls leaves what the first of them left:
// before each call is everywhere. The matrix of a story is at its end when a run
// gets through without having come to its point; and then every call of the run
// without faults must have been a point.
func crashMatrix(t *torture, r *result) {
	for _, s := range t.chosen() {
		points := t.crashStory(s, r)
		r.say("%-12s killed at %d points", s.name, points)
	}
}

// point is a system call of a story: the nth of its kind about its object.
type point struct {
	call string
	nth  int
}

func (p point) String() string { return fmt.Sprintf("%s (number %d)", p.call, p.nth) }

// counter numbers the calls of one process.
type counter struct {
	all  int
	seen map[string]int
}

// next numbers a call; ok is false when it is no point: it changes nothing, or
// belongs to the runtime's own wake-ups.
func (n *counter) next(c *call) (p point, ok bool) {
	if !changes(c.name) || strings.HasPrefix(c.path, "anon_inode:") {
		return point{}, false
	}
	if n.seen == nil {
		n.seen = map[string]int{}
	}
	n.all++
	n.seen[c.String()]++
	return point{c.String(), n.seen[c.String()]}, true
}

// steady reports whether a point comes in every run: how often a socket is read
// before its answer is there is chance.
func (p point) steady() bool { return !strings.HasSuffix(p.call, " socket") }

func (t *torture) crashStory(s story, r *result) int {
	var plain []point
	t.crashRound(s, r, func(c *call, p point, all int) bool { plain = append(plain, p); return false })
	if len(plain) == 0 {
		r.fail("%s: the process made no system call", s.name)
	}
	var mu sync.Mutex
	hit := map[point]bool{}
	kills := 0
	try := func(when func(p point, all int) bool) (killed bool) {
		t.crashRound(s, r, func(c *call, p point, all int) bool {
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
	t.each(r, len(plain), func(i int) { try(func(_ point, all int) bool { return all == i+1 }) })
	for k := len(plain) + 1; k < 10*len(plain) && try(func(_ point, all int) bool { return all == k }); k++ {
	}
	for _, p := range plain {
		for n := 0; n < 5 && !hit[p] && s.concurrency < 2 && p.steady(); n++ {
			try(func(q point, _ int) bool { return p == q })
		}
		if !hit[p] && s.concurrency < 2 && p.steady() {
			r.fail("%s: never killed at %v", s.name, p)
		}
	}
	return kills
}

// crashRound plays a story once. at says at which call it is killed.
func (t *torture) crashRound(s story, r *result, at func(c *call, p point, all int) bool) {
	w := t.newWorld("")
	defer w.end()
	w.endpoint.answers(obliging)
	s.build(w)
	before := w.takeStock()

	var n counter
	var where *point
	p := s.program(w)
	p.watch = &interceptor{root: w.dir, decide: func(c *call) verdict {
		if c.alters() && !c.inside(w.dir) {
			r.fail("%s: it touches what is not its own: %v", s.name, c)
		}
		if p, ok := n.next(c); ok && at(c, p, n.all) {
			where = &p
			return verdict{kill: true}
		}
		return verdict{}
	}}
	o, err := p.run()
	w.must(err)
	label := s.name + ", not killed"
	allowed, faults := 0, 0
	may := s.end()
	if where != nil {
		label = fmt.Sprintf("%s, killed at %v", s.name, *where)
		allowed, faults = w.books.inFlight(max(1, s.inHand)), 1
		may = s.states()
		if o.signal != unix.SIGKILL {
			r.fail("%s: the process was not killed: %v", label, o.tell())
		}
	}
	r.round(faults)
	w.check(r, label, o)
	w.putDone(o)
	w.checkStock(r, label+": then", w.takeStock(), before.again)
	if !s.faultless {
		w.checkState(r, label+": then", may)
	}
	w.goOn(r, label, before.again+allowed)
}

// putDone makes what put has named a certain item: it is on the disk when its
// name is printed.
func (w *world) putDone(o outcome) {
	if o.args[0] == "put" && strings.HasPrefix(o.stdout, "put_") {
		w.books.confirmAll()
	}
}

// goOn lets the next runs finish the work and takes stock in the end: the spool
// is empty, nothing was lost, and no debris is left.
func (w *world) goOn(r *result, label string, allowed int) {
	old := time.Now().Add(-2 * time.Hour)
	for _, path := range w.find("spool/.spoolput-*") { // else a living put might own it
		w.must(os.Chtimes(path, old, old))
	}
	// One more payload: an empty spool is not swept, since an empty run is to
	// cost nothing.
	w.object("zz-last.json", `{"last":true}`)
	outcomes, err := w.heal()
	w.must(err)
	for _, o := range outcomes {
		w.check(r, label+": next run", o)
	}
	s := w.takeStock()
	w.checkStock(r, label+": in the end", s, allowed)
	r.count(s)
	last := outcomes[len(outcomes)-1]
	if s.left > 0 || last.code != 0 {
		r.fail("%s: %d items are still in the spool of a healthy listener\n%s", label, s.left, last.tell())
	}
	if last.code == 0 {
		w.checkState(r, label+": in the end", []breakerState{closedAfter(0)})
	}
	if debris := w.debris(); len(debris) > 0 {
		r.fail("%s: debris is left behind: %v", label, debris)
	}
}

func (w *world) find(pattern string) []string {
	found, err := filepath.Glob(filepath.Join(w.dir, pattern))
	w.must(err)
	return found
}
