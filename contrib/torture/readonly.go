//go:build linux && (amd64 || arm64)

package main

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readOnlyCase says what is read-only and what must come of it.
type readOnlyCase struct {
	name         string
	spool, state bool
	status       int // of the listener
	code         int
	requests     int
	tells        string
}

// readOnly mounts spool and state directory read-only, each and both.
func readOnly(t *torture, r *result) {
	if os.Geteuid() != 0 {
		r.skip("it takes root to mount file systems")
		return
	}
	for _, c := range []readOnlyCase{
		// What cannot be removed after its delivery must not be sent.
		{name: "read-only spool", spool: true, status: 200, code: 74, tells: "read-only file system"},
		{name: "read-only state", state: true, status: 200, code: 0, requests: 4},
		// A failure that cannot be remembered is the last one.
		{name: "read-only state and a listener that is down", state: true, status: 503, code: 74, requests: 1, tells: "read-only file system"},
		{name: "read-only spool and state", spool: true, state: true, status: 200, code: 74, tells: "read-only file system"},
	} {
		for _, locked := range []bool{true, false} {
			t.guard(r, func() { t.readOnlyRound(r, c, locked) })
		}
	}
}

// readOnlyRound plays one case. locked says that the lock file is there, which
// only a host's first run does not find.
func (t *torture) readOnlyRound(r *result, c readOnlyCase, locked bool) {
	w := t.newWorld("")
	defer w.end()
	w.must(os.MkdirAll(w.state, 0o755))
	for _, dir := range []string{w.spool, w.state} {
		w.must(unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,mode=0755"))
		defer t.onExit(func() { unix.Unmount(dir, unix.MNT_DETACH) })()
	}
	if locked {
		w.object("first.json", does(1, "200"))
		w.earlier()
	}
	w.object("a.json", does(2, "200"))
	w.array("b.json", does(3, "200"), does(4, "200"), does(5, "200"))
	w.endpoint.answers(always(c.status))
	set := func(dir string, is bool, flags uintptr) {
		if is {
			w.must(unix.Mount("", dir, "", unix.MS_REMOUNT|flags, ""))
		}
	}
	set(w.spool, c.spool, unix.MS_RDONLY)
	set(w.state, c.state, unix.MS_RDONLY)

	if c.spool {
		p := w.spoolfwd("put")
		p.stdin = strings.NewReader(`{"too":"late"}`)
		o, err := p.run()
		w.must(err)
		w.check(r, c.name, o)
		if o.code != 74 || !strings.Contains(o.stderr, "read-only file system") || !strings.Contains(o.stderr, w.spool) {
			r.fail("%s: put: want exit code 74 and a sentence\n%s", c.name, o.tell())
		}
	}
	before := len(w.endpoint.deliveries())
	o, err := w.spoolfwd("run", "--concurrency", "1").run()
	w.must(err)
	r.round(1)
	w.check(r, c.name, o)
	code, requests, tells := c.code, c.requests, c.tells
	if !locked && c.state {
		code, requests, tells = 74, 0, "read-only file system" // there is no lock to be taken
	}
	if n := len(w.endpoint.deliveries()) - before; o.code != code || n != requests {
		r.fail("%s: exit code %d after %d requests, want %d after %d\n%s", c.name, o.code, n, code, requests, o.tell())
	}
	if !strings.Contains(o.stderr, tells) || tells != "" && !strings.Contains(o.stderr, w.dir) {
		r.fail("%s: file and cause are not told: want %q\n%s", c.name, tells, o.tell())
	}
	w.checkStock(r, c.name, w.takeStock(), 0)
	set(w.spool, c.spool, 0)
	set(w.state, c.state, 0)
	w.goOn(r, c.name, 0)
}
