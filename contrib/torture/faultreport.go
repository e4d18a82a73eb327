//go:build linux && (amd64 || arm64)

package main

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// checkReported checks that a fault that a person must know of is reported: the message names the
// file or the listener, and the cause, and the exit code is not 0.
func (e *env) checkReported(r *result, label string, f fault, hits []*call, o outcome) {
	reported := strings.Contains(o.stderr, f.errno.Error())
	for i, c := range hits {
		if c.name == "mkdirat" && c.target == "spool/rejected" && (i == 0 || f.errno == unix.EINTR) {
			continue // it is made to be locked first, or not: an interrupted call is made again
		}
		if !f.mustBeReported(c) || f.savedAnyway(e, c) {
			continue
		}
		switch {
		case !reported:
			r.failf("%s: the fault is not reported\n%s", label, o)
		case !strings.Contains(o.stderr, path.Base(c.path)) && !strings.Contains(o.stderr, e.dir) && !strings.Contains(o.stderr, e.url):
			r.failf("%s: the message names neither file nor listener\n%s", label, o)
		case !slices.Contains(f.codes(o), o.code):
			r.failf("%s: exit code %d, want one of %v\n%s", label, o.code, f.codes(o), o)
		}
		return
	}
}

// codes are the exit codes for a fault of this machine that must be reported.
func (f fault) codes(o outcome) []int {
	switch {
	case f.errno == unix.EACCES:
		return []int{77}
	case o.args[0] == "put" && (f.errno == unix.ENOSPC || f.errno == unix.EDQUOT):
		return []int{73, 74} // 74: an error that no kernel returns for the call it was injected into
	}
	return []int{74}
}

// mustBeReported reports whether the failure of a call must be reported. The other failures are
// repaired by the product itself or change nothing: closing a file that is synced, sweeping
// temporary files that the next run sweeps too, writing the name of the lock's holder, setting
// owner and mode of the state file, checks that are made again.
func (f fault) mustBeReported(c *call) bool {
	if f.errno == unix.EINTR && !f.always {
		return false // the call is repeated
	}
	in := func(pattern string) bool {
		ok, _ := path.Match(pattern, c.target)
		return ok
	}
	if f.workload.name == "prune" && (in("spool/.spoolfwd-*") || in("spool/.spoolfwd-* to spool/rejected/.clock")) {
		return false // the note of the clock's time, which a full disk need not take
	}
	if strings.HasPrefix(c.target, "state/central_listener.lastrun") {
		return false // what status tells of the last run
	}
	if f.workload.name == "expire" && c.name == "openat" && !f.always {
		return false // what cannot be opened to be moved is opened again to be sent
	}
	payload := in("spool/*.json")
	state := strings.HasPrefix(c.target, "state/central_listener.state")
	if state && f.probes() {
		// The half-open state that was not saved is followed by the probe's result, which was.
		return f.always && (c.name == "fsync" || c.name == "renameat" && !strings.HasSuffix(c.target, ".corrupt"))
	}
	switch c.name {
	case "fsync", "fdatasync":
		return !(f.probes() && c.target == "state" && !f.always)
	case "renameat", "renameat2", "linkat":
		return !strings.HasSuffix(c.target, ".corrupt") // the warning has words of its own
	case "mkdirat":
		return true
	case "write", "writev":
		return in("spool/.spool*") || in("state/*[*]")
	case "unlinkat":
		return payload
	case "openat", "read", "fstat":
		return payload || c.name == "openat" && in("spool")
	case "getdents64":
		return c.target == "spool"
	}
	return false
}

// savedAnyway reports whether the breaker's state was saved all the same: later in the same run or,
// where the file cannot be replaced, in place.
func (f fault) savedAnyway(e *env, c *call) bool {
	state := c.target == "state" || strings.HasPrefix(c.target, "state/central_listener.state")
	return state && (!f.always || c.name == "renameat") && e.stateIsOneOf(f.workload.end()) == nil
}

// probes reports whether a workload begins with a breaker that becomes half-open.
func (f fault) probes() bool { return f.workload.name == "close" || f.workload.name == "reopen" }
