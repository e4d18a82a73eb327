//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// fullDisk is how a listener answers while the disk is full, and what the run must do.
type fullDisk struct {
	name     string
	answer   func(body string) answer
	codes    []int // exit codes of the run
	empties  bool  // the spool is empty afterwards, although the disk was full
	requests int   // at most; 0: any number
	repeats  int   // items that may be sent again: nothing could remember them
}

// diskFull fills a file system of 16 MiB with spool and state to the last byte. Deliveries must go
// on, because they make room. The tests of cmd/spoolfwd put bad payloads ahead of good ones there.
func diskFull(t *torture, r *result) {
	d, err := t.newDisk("ext4", 16<<20)
	if err != nil {
		r.skipf("%v", err)
		return
	}
	defer d.remove()
	for _, f := range []fullDisk{
		{name: "a healthy listener", answer: always(200), codes: []int{0}, empties: true},
		// A breaker that cannot be saved opens in memory.
		{name: "a listener that is down", answer: always(503), codes: []int{74}, requests: 5},
		// The first file is an array with one item that is refused. At first there is no room for
		// the refused item, for the rest of the file, or for the index.
		{name: "a listener that refuses one item", answer: answerAsAsked, codes: []int{74}, repeats: 3},
	} {
		t.guard(r, func() { t.fullDiskRound(r, d, f) })
	}
}

func (t *torture) fullDiskRound(r *result, d *disk, f fullDisk) {
	e := t.newEnv(d.dir)
	defer e.end()
	label := "full disk, " + f.name
	e.object("first.json", item(1, "200"))
	e.earlierRun() // makes the lock file, which exists on every host but a new one
	e.array("a.json", item(40, "200"), item(41, "200"), item(42, "400"), item(43, "200"))
	for i := range 20 {
		e.object(fmt.Sprintf("o%02d.json", i), item(10+i, "200"))
	}
	e.endpoint.answers(f.answer)
	e.must(d.fill())
	defer d.free()
	e.checkPutRefuses(r, label)

	before := e.endpoint.count()
	o := e.runToEnd(r, label, e.spoolfwd("run", "-v", "--concurrency", "1"))
	r.round(1)
	r.verbosef("%s: %s", label, o)
	i := e.takeInventory()
	r.checkInventory(label, i, 0)
	if !slices.Contains(f.codes, o.code) {
		r.failf("%s: exit code %d, want one of %v\n%s", label, o.code, f.codes, o)
	}
	if o.code == 74 && (!strings.Contains(o.stderr, "no space left on device") || !strings.Contains(o.stderr, e.dir)) {
		r.failf("%s: the message lacks file or cause\n%s", label, o)
	}
	if f.empties && i.left > 0 {
		r.failf("%s: %d items are left: deliveries did not go on\n%s", label, i.left, o)
	}
	if n := e.endpoint.count() - before; f.requests > 0 && n > f.requests {
		r.failf("%s: %d requests, and at most %d are allowed", label, n, f.requests)
	}
	e.must(d.free())
	e.endpoint.answers(always(503))
	e.checkStateIsSaved(r, label)
	e.finish(r, label, f.repeats)
}

// checkPutRefuses checks that put names the full disk and leaves nothing behind.
func (e *env) checkPutRefuses(r *result, label string) {
	before := e.find("spool/*")
	p := e.spoolfwd("put")
	p.stdin = strings.NewReader(`{"too":"much"}`)
	o := e.runToEnd(r, label, p)
	if o.code != 73 || !strings.Contains(o.stderr, "no space left on device") || !strings.Contains(o.stderr, e.spool) || o.stdout != "" {
		r.failf("%s: put: want exit code 73 and a message\n%s", label, o)
	}
	if after := e.find("spool/*"); len(after) != len(before) {
		r.failf("%s: put left something behind: %v", label, after)
	}
	if left := e.find("spool/.*"); len(left) > 0 {
		r.failf("%s: put left temporary files behind: %v", label, left)
	}
}

// checkStateIsSaved checks that a failure is saved once there is room again.
func (e *env) checkStateIsSaved(r *result, label string) {
	e.object("one-more.json", item(99, "200"))
	o := e.runToEnd(r, label, e.spoolfwd("run", "--failure-threshold", "1"))
	data, err := os.ReadFile(e.statePath())
	if err != nil || !strings.Contains(string(data), `"open"`) {
		r.failf("%s: with room again, the breaker's state is not saved: %q %v\n%s", label, data, err, o)
	}
}
