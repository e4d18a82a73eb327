//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"strings"
)

// fullDisk is what a listener does while the disk is full.
type fullDisk struct {
	name     string
	say      func(body string) answer
	code     []int // the run's exit codes
	empties  bool  // the spool is empty afterwards, although the disk was full
	requests int   // at most; 0: any number
	again    int   // items that may be sent again: nothing could remember them
}

// diskFull fills a file system of 16 MiB with spool and state to the last byte.
// Deliveries are what makes room, so they must go on.
func diskFull(t *torture, r *result) {
	d, err := t.newDisk("ext4", 16<<20)
	if err != nil {
		r.skip("%v", err)
		return
	}
	defer d.remove()
	for _, f := range []fullDisk{
		{name: "a healthy listener", say: always(200), code: []int{0}, empties: true},
		// A breaker that cannot remember must not hammer.
		{name: "a listener that is down", say: always(503), code: []int{74}, requests: 1},
		// The first file is an array of which one item is refused: there is no
		// room to set it aside, none to rewrite the rest, and none for the
		// index that remembers what is delivered of it, until more is.
		{name: "a listener that refuses one item", say: obliging, code: []int{74}, again: 3},
	} {
		t.guard(r, func() { t.fullRound(r, d, f) })
	}
}

func (t *torture) fullRound(r *result, d *disk, f fullDisk) {
	w := t.newWorld(d.dir)
	defer w.end()
	label := "full disk, " + f.name
	w.object("first.json", does(1, "200"))
	w.earlier() // the lock is there, as it is on every host but a new one
	w.array("a.json", does(40, "200"), does(41, "200"), does(42, "400"), does(43, "200"))
	for i := range 20 {
		w.object(fmt.Sprintf("o%02d.json", i), does(10+i, "200"))
	}
	w.endpoint.answers(f.say)
	w.must(d.fill())
	defer d.free()
	w.refused(r, label)

	before := len(w.endpoint.deliveries())
	o, err := w.spoolfwd("run", "-v", "--concurrency", "1").run()
	w.must(err)
	r.round(1)
	r.say("%s: %s", label, o.tell())
	w.check(r, label, o)
	s := w.takeStock()
	w.checkStock(r, label, s, 0)
	if !contains(f.code, o.code) {
		r.fail("%s: exit code %d, want one of %v\n%s", label, o.code, f.code, o.tell())
	}
	if o.code == 74 && (!strings.Contains(o.stderr, "no space left on device") || !strings.Contains(o.stderr, w.dir)) {
		r.fail("%s: file and cause are not told\n%s", label, o.tell())
	}
	if f.empties && s.left > 0 {
		r.fail("%s: %d items are left: deliveries did not go on\n%s", label, s.left, o.tell())
	}
	if n := len(w.endpoint.deliveries()) - before; f.requests > 0 && n > f.requests {
		r.fail("%s: %d requests, and no more than %d may be", label, n, f.requests)
	}
	w.must(d.free())
	w.endpoint.answers(always(503))
	w.savesAgain(r, label)
	w.goOn(r, label, f.again)
}

// refused checks that put tells of the full disk and leaves nothing behind.
func (w *world) refused(r *result, label string) {
	before := w.find("spool/*")
	p := w.spoolfwd("put")
	p.stdin = strings.NewReader(`{"too":"much"}`)
	o, err := p.run()
	w.must(err)
	w.check(r, label, o)
	if o.code != 73 || !strings.Contains(o.stderr, "no space left on device") || !strings.Contains(o.stderr, w.spool) || o.stdout != "" {
		r.fail("%s: put: want exit code 73 and a sentence\n%s", label, o.tell())
	}
	if after := w.find("spool/*"); len(after) != len(before) {
		r.fail("%s: put left something behind: %v", label, after)
	}
	if debris := w.find("spool/.*"); len(debris) > 0 {
		r.fail("%s: put left debris behind: %v", label, debris)
	}
}

// savesAgain checks that a failure is saved once there is room.
func (w *world) savesAgain(r *result, label string) {
	w.object("one-more.json", does(99, "200"))
	o, err := w.spoolfwd("run", "--failure-threshold", "1").run()
	w.must(err)
	w.check(r, label, o)
	data, err := os.ReadFile(w.state + "/central_listener.state")
	if err != nil || !strings.Contains(string(data), `"open"`) {
		r.fail("%s: with room again, the breaker's state is not saved: %q %v\n%s", label, data, err, o.tell())
	}
}

func contains(codes []int, code int) bool {
	for _, c := range codes {
		if c == code {
			return true
		}
	}
	return false
}
