//go:build linux && (amd64 || arm64)

package main

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// judge checks that a person is told what a person must know: a sentence with
// the file and the cause, and an exit code other than 0.
func (w *world) judge(r *result, label string, f fault, hits []*call, o outcome) {
	told := strings.Contains(o.stderr, f.errno.Error())
	for _, c := range hits {
		if !f.grave(c) {
			continue
		}
		switch {
		case !told:
			r.fail("%s: nobody is told\n%s", label, o.tell())
		case !strings.Contains(o.stderr, path.Base(c.path)) && !strings.Contains(o.stderr, w.dir) && !strings.Contains(o.stderr, w.url):
			r.fail("%s: the message names neither file nor listener\n%s", label, o.tell())
		case !slices.Contains(f.codes(o), o.code):
			r.fail("%s: exit code %d, want one of %v\n%s", label, o.code, f.codes(o), o.tell())
		}
		return
	}
}

// codes are the exit codes for a local fault that somebody must know.
func (f fault) codes(o outcome) []int {
	switch {
	case f.errno == unix.EACCES:
		return []int{77}
	case o.args[0] == "put" && (f.errno == unix.ENOSPC || f.errno == unix.EDQUOT):
		return []int{73, 74} // 74: an error that no kernel gives for the call it was injected into
	}
	return []int{74}
}

// grave reports whether a call is one whose failure must be told. The others are
// made good by themselves or change nothing: closing what is synced, sweeping
// debris that the next run sweeps as well, the name of the lock's holder, owner
// and mode of the state file, a look at what is looked at again.
func (f fault) grave(c *call) bool {
	if f.errno == unix.EINTR && !f.always {
		return false // asked again
	}
	in := func(pattern string) bool {
		ok, _ := path.Match(pattern, c.object)
		return ok
	}
	payload := in("spool/*.json")
	state := strings.HasPrefix(c.object, "state/central_listener.state")
	if state && f.probes() {
		// The probe that an unsaved half-open state was about has a result,
		// and that was saved.
		return f.always && (c.name == "fsync" || c.name == "renameat" && !strings.HasSuffix(c.object, ".corrupt"))
	}
	switch c.name {
	case "fsync", "fdatasync":
		return !(f.probes() && c.object == "state" && !f.always)
	case "renameat", "renameat2", "linkat":
		return !strings.HasSuffix(c.object, ".corrupt") // the warning says it in other words
	case "mkdirat":
		return true
	case "write", "writev":
		return in("spool/.spool*") || in("state/*[*]")
	case "unlinkat":
		return payload
	case "openat", "read", "fstat":
		return payload || c.name == "openat" && in("spool")
	case "getdents64":
		return c.object == "spool"
	}
	return false
}

// probes reports whether a story begins with a breaker that is to become
// half-open.
func (f fault) probes() bool { return f.story.name == "close" || f.story.name == "reopen" }
