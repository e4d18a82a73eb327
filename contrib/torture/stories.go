//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// story is a small run in which certain things happen. The matrices play it once
// per system call, with a fault there.
type story struct {
	name        string
	build       func(w *world)
	command     []string // default run
	flags       []string
	stdin       func(w *world) string
	concurrency int  // default 1, so that it goes the same way every time
	inHand      int  // files that it may have in its hands at once; default as many as concurrency
	faultless   bool // too random, or too much like another, for the fault matrix; nor is the breaker's state foreseen

	breaker   []breakerState // see states; default closed, without a failure, from the beginning to the end
	otherwise []breakerState // more of those that a fault may lead to
}

// does is an item that tells the listener how to answer it.
func does(n int, what string) string { return fmt.Sprintf(`{"n":%d,"do":"%s"}`, n, what) }

// obliging answers as the item says.
func obliging(body string) answer {
	switch {
	case strings.Contains(body, `"do":"400"`):
		return answer{status: 400}
	case strings.Contains(body, `"do":"500"`):
		return answer{status: 500}
	case strings.Contains(body, `"do":"503"`):
		return answer{status: 503, retryAfter: "90"}
	case strings.Contains(body, `"do":"drop"`):
		return answer{}
	}
	return answer{status: 200}
}

// program is the story's command in a world that is built.
func (s story) program(w *world) program {
	command := s.command
	if command == nil {
		command = []string{"run", "--concurrency", fmt.Sprint(max(1, s.concurrency))}
	}
	p := w.spoolfwd(command[0], append(command[1:], s.flags...)...)
	if s.stdin != nil {
		p.stdin = strings.NewReader(s.stdin(w))
	}
	return p
}

// chosen are the stories that the command line asks for.
func (t *torture) chosen() (chosen []story) {
	for _, s := range stories() {
		if ok, _ := path.Match(t.story, s.name); ok {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

func stories() []story {
	hourAgo := float64(time.Now().Add(-time.Hour).UnixMicro()) / 1e6
	return []story{
		{name: "deliver", build: func(w *world) {
			w.object("buffer_1.5_00000001.json", does(1, "200"))
			w.array("buffer_2.5_00000002.json", does(2, "200"), does(3, "200"), does(4, "200"))
			w.object("profile_20240102_030405_00000003.json", does(5, "200"))
			w.array("buffer_3.5_00000004.json", does(6, "200"), does(6, "200"), does(7, "200"))
			w.file("buffer_4.5_00000005.json", "[]")
		}},
		{name: "reject", flags: []string{"--max-file-size", "300", "--failure-threshold", "50"}, breaker: []breakerState{closedAfter(1), closedAfter(0)}, build: func(w *world) {
			w.object("a.json", does(1, "400"))
			w.array("b.json", does(2, "200"), does(3, "400"), does(4, "200"))
			w.array("c.json", does(5, "400"))
			w.raw("d.json", `{"cut off`)
			w.raw("e.json", `{"pad":"`+strings.Repeat("x", 300)+`"}`)
			w.raw("f.json", "")
			w.object("g.json", does(6, "200"))
		}},
		{name: "defer", flags: []string{"--failure-threshold", "50"}, breaker: []breakerState{closedAfter(1), closedAfter(0)}, build: func(w *world) {
			w.object("a.json", does(1, "500"))
			w.array("b.json", does(2, "200"), does(3, "500"), does(4, "200"))
			w.object("c.json", does(5, "200"))
		}},
		{name: "come back", breaker: []breakerState{closedAfter(2), closedAfter(0)}, build: func(w *world) {
			w.object("a.json", does(1, "500"))
			w.array("b.json", does(2, "200"), does(3, "500"), does(4, "500"))
			w.earlier("--failure-threshold", "50")
			w.endpoint.answers(always(200))
		}},
		{name: "deferred items", flags: []string{"--failure-threshold", "50"}, breaker: []breakerState{closedAfter(3), closedAfter(0), closedAfter(1), closedAfter(2)}, build: func(w *world) {
			w.array("a.json", does(1, "500"), does(2, "500"), does(3, "500"), does(4, "200"), does(5, "200"))
			w.earlier("--failure-threshold", "50", "--max-items", "3")
			w.endpoint.answers(func(body string) answer {
				switch body {
				case does(1, "500"):
					return answer{status: 200}
				case does(2, "500"):
					return answer{status: 400}
				}
				return obliging(body)
			})
			w.object("b.json", does(6, "200"))
		}},
		{name: "give up", flags: []string{"--failure-threshold", "50", "--max-attempts", "1"}, breaker: []breakerState{closedAfter(1), closedAfter(0)}, build: func(w *world) {
			w.object("a.json", does(1, "200"))
			w.object("b.json", does(2, "500"))
			w.array("c.json", does(3, "200"), does(4, "500"), does(5, "200"))
		}},
		{name: "open", flags: []string{"--failure-threshold", "2"}, breaker: []breakerState{closedAfter(0), closedAfter(1), openAfter(2)}, build: func(w *world) {
			w.array("a.json", does(1, "200"), does(2, "500"), does(3, "drop"), does(4, "200"))
			w.object("b.json", does(5, "200"))
		}},
		{name: "close", breaker: probing(closedAfter(0)), build: func(w *world) {
			w.writeState("open", 5, hourAgo)
			w.array("a.json", does(1, "200"), does(2, "200"))
			w.object("b.json", does(3, "200"))
		}},
		{name: "reopen", breaker: probing(openAfter(6)), otherwise: []breakerState{closedAfter(0), closedAfter(1)}, build: func(w *world) {
			w.writeState("open", 5, hourAgo)
			w.object("a.json", does(1, "500"))
			w.object("b.json", does(2, "200"))
		}},
		{name: "retry after", breaker: []breakerState{closedAfter(0), {"open", 1, 90 * time.Second}}, build: func(w *world) {
			w.array("a.json", does(1, "200"), does(2, "503"), does(3, "200"))
			w.object("b.json", does(4, "200"))
		}},
		{name: "sweep", build: func(w *world) {
			w.object("a.json", does(1, "200"))
			w.litter()
		}},
		{name: "undeletable", build: func(w *world) {
			w.object("a.json", does(1, "200"))
			w.array("b.json", does(2, "200"), does(3, "200"))
			w.undeletable("a.json")
			w.undeletable("b.json")
			w.object("c.json", does(4, "200"))
		}},
		{name: "limit", flags: []string{"--max-items", "3"}, build: func(w *world) {
			w.object("a.json", does(1, "200"))
			w.array("b.json", does(2, "200"), does(3, "200"), does(4, "200"), does(5, "200"))
		}},
		{name: "batch", flags: []string{"--batch-items", "3", "--failure-threshold", "50"}, inHand: 3, breaker: []breakerState{closedAfter(0), closedAfter(1)}, build: func(w *world) {
			w.endpoint.batch = "ndjson"
			w.batches()
		}},
		{name: "batch array", flags: []string{"--batch-items", "3", "--batch-format", "array", "--failure-threshold", "50"}, inHand: 3, breaker: []breakerState{closedAfter(0), closedAfter(1)}, build: func(w *world) {
			w.endpoint.batch = "array"
			w.batches()
		}},
		{name: "crowd", concurrency: 4, inHand: 4, faultless: true, flags: []string{"--failure-threshold", "3"}, build: func(w *world) {
			for i := range 6 {
				w.object(fmt.Sprintf("a%d.json", i), does(i, "200"))
			}
			w.array("b.json", does(10, "200"), does(11, "200"), does(12, "400"), does(13, "200"), does(14, "500"))
			for i := range 6 {
				w.object(fmt.Sprintf("c%d.json", i), does(20+i, []string{"200", "500"}[i%2]))
			}
			w.array("d.json", does(30, "200"), does(31, "200"), does(32, "200"))
		}},
		{name: "put", command: []string{"put"}, build: func(w *world) { w.books.enter(false, does(1, "200")) },
			stdin: func(*world) string { return does(1, "200") }},
		{name: "put array", command: []string{"put", "--max-spool-files", "100", "--max-spool-bytes", "1MiB"}, build: func(w *world) {
			w.object("a.json", does(1, "200"))
			w.books.enter(false, does(2, "200"), does(3, "200"))
		}, stdin: func(*world) string { return "[" + does(2, "200") + "," + does(3, "200") + "]" }},
		{name: "retry", command: []string{"rejected", "retry", "--all"}, build: func(w *world) { w.rejects() }},
		{name: "remove", command: []string{"rejected", "remove", "--all"}, build: func(w *world) {
			w.rejects()
			w.books.doubt(does(1, "400"), does(3, "400")) // asked for
		}},
		{name: "prune", flags: []string{"--rejected-max-bytes", "1"}, build: func(w *world) {
			w.rejects()
			w.books.doubt(does(1, "400"), does(3, "400"))
			w.object("c.json", does(5, "200"))
		}},
		{name: "trip", command: []string{"breaker", "trip", "--for", "1h"}, breaker: []breakerState{closedAfter(0), {"open", 0, time.Hour}}, build: func(w *world) {
			w.tripped = true
			w.object("a.json", does(1, "200"))
		}},
		{name: "reset", command: []string{"breaker", "reset"}, breaker: []breakerState{openAfter(5), closedAfter(0)}, build: func(w *world) {
			w.writeState("open", 5, hourAgo)
			w.object("a.json", does(1, "200"))
		}},
	}
}

// batches has items that fill batches, one that is refused and one that fails.
func (w *world) batches() {
	for i := range 4 {
		w.object(fmt.Sprintf("a%d.json", i), does(i, "200"))
	}
	w.array("b.json", does(10, "200"), does(11, "400"), does(12, "200"), does(13, "200"))
	w.object("c.json", does(20, "200"))
	w.object("d.json", does(21, "500"))
	w.object("e.json", does(22, "200"))
}

// earlier is an earlier run of the product, in which nothing bad happens.
func (w *world) earlier(flags ...string) {
	w.endpoint.answers(obliging)
	o, err := w.spoolfwd("run", append(flags, "--concurrency", "1")...).run()
	w.must(err)
	if o.signal != 0 || o.hung {
		w.must(fmt.Errorf("an earlier run ended badly: %+v", o))
	}
}

// rejects leaves an object and an item of an array in rejected/.
func (w *world) rejects() {
	w.object("a.json", does(1, "400"))
	w.array("b.json", does(2, "200"), does(3, "400"), does(4, "200"))
	w.earlier()
}

// undeletable is an earlier run that could not remove a payload file after its
// delivery.
func (w *world) undeletable(name string) {
	w.endpoint.answers(obliging)
	p := w.spoolfwd("run", "--concurrency", "1")
	p.watch = &interceptor{root: w.dir, decide: func(c *call) verdict {
		if c.name == "unlinkat" && c.object == "spool/"+name {
			return verdict{fail: unix.EIO}
		}
		return verdict{}
	}}
	_, err := p.run()
	w.must(err)
}

// litter is what killed runs and other programs leave behind.
func (w *world) litter() {
	w.must(os.MkdirAll(w.state, 0o755))
	w.spoiled = `{"state":`
	for _, path := range []string{
		"spool/.spoolfwd-0123456789abcdef.tmp", "spool/.spoolput-0123456789abcdef.tmp",
		"state/central_listener.state1234567", "state/central_listener.index1234567",
		"state/central_listener.state", "state/central_listener.index",
	} {
		path = filepath.Join(w.dir, path)
		w.must(os.WriteFile(path, []byte(w.spoiled), 0o644))
		old := time.Now().Add(-2 * time.Hour)
		w.must(os.Chtimes(path, old, old))
	}
}
