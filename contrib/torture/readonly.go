//go:build linux && (amd64 || arm64)

package main

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readOnlyCase says what is mounted read-only and what the run must do.
type readOnlyCase struct {
	name         string
	spool, state bool
	status       int // of the listener's answers
	code         int
	requests     int
	message      string
}

// readOnly mounts the spool, the state directory and both read-only.
func readOnly(t *torture, r *result) {
	if os.Geteuid() != 0 {
		r.skipf("mounting file systems needs root")
		return
	}
	for _, c := range []readOnlyCase{
		// A payload that cannot be removed after its delivery must not be sent.
		{name: "read-only spool", spool: true, status: 200, code: 74, message: "read-only file system"},
		{name: "read-only state", state: true, status: 200, code: 0, requests: 4},
		// A breaker that cannot be saved opens in memory. Four items are all there are.
		{name: "read-only state and a listener that is down", state: true, status: 503, code: 74, requests: 4, message: "read-only file system"},
		{name: "read-only spool and state", spool: true, state: true, status: 200, code: 74, message: "read-only file system"},
	} {
		for _, locked := range []bool{true, false} {
			t.guard(r, func() { t.readOnlyRound(r, c, locked) })
		}
	}
}

// readOnlyRound plays one case. locked says that the lock file exists, which is so after a host's
// first run. Without it, the lock is taken on the state directory.
func (t *torture) readOnlyRound(r *result, c readOnlyCase, locked bool) {
	e := t.newEnv("")
	defer e.end()
	e.must(os.MkdirAll(e.state, 0o755))
	for _, dir := range []string{e.spool, e.state} {
		e.must(unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,mode=0755"))
		defer t.onExit(func() { unix.Unmount(dir, unix.MNT_DETACH) })()
	}
	if locked {
		e.object("first.json", item(1, "200"))
		e.earlierRun()
	}
	e.object("a.json", item(2, "200"))
	e.array("b.json", item(3, "200"), item(4, "200"), item(5, "200"))
	e.endpoint.answers(always(c.status))
	remount := func(dir string, is bool, flags uintptr) {
		if is {
			e.must(unix.Mount("", dir, "", unix.MS_REMOUNT|flags, ""))
		}
	}
	remount(e.spool, c.spool, unix.MS_RDONLY)
	remount(e.state, c.state, unix.MS_RDONLY)

	if c.spool {
		p := e.spoolfwd("put")
		p.stdin = strings.NewReader(`{"too":"late"}`)
		o := e.runToEnd(r, c.name, p)
		if o.code != 74 || !strings.Contains(o.stderr, "read-only file system") || !strings.Contains(o.stderr, e.spool) {
			r.failf("%s: put: want exit code 74 and a message\n%s", c.name, o)
		}
	}
	before := e.endpoint.count()
	o := e.runToEnd(r, c.name, e.spoolfwd("run", "--concurrency", "1"))
	r.round(1)
	if n := e.endpoint.count() - before; o.code != c.code || n != c.requests {
		r.failf("%s: exit code %d after %d requests, want %d after %d\n%s", c.name, o.code, n, c.code, c.requests, o)
	}
	if !strings.Contains(o.stderr, c.message) || c.message != "" && !strings.Contains(o.stderr, e.dir) {
		r.failf("%s: the message lacks file or cause: want %q\n%s", c.name, c.message, o)
	}
	r.checkInventory(c.name, e.takeInventory(), 0)
	remount(e.spool, c.spool, 0)
	remount(e.state, c.state, 0)
	e.finish(r, c.name, 0)
}
