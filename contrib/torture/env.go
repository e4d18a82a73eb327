//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// env is the environment of one round: a spool, a state directory and a listener.
type env struct {
	t        *torture
	name     string
	dir      string // holds spool and state
	spool    string
	state    string
	endpoint *endpoint
	url      string  // of the endpoint
	spooled  spooled // by producers
	began    time.Time
	files    int           // spooled so far
	spacing  time.Duration // between the times of two files
	hostID   string        // "": the machine's
	hostname string        // of the product's processes, which then have no machine id; "": the machine's

	stateBefore float64 // the times in the state file that writeState wrote
	tripped     bool    // the workload opens the breaker by hand
	occupied    bool    // rejected/ is a file
	badState    string  // content of a damaged state file that the workload wrote
}

// testError is what must panics with: the test itself cannot go on, for example on a full disk.
type testError struct{ err error }

func (e *env) must(err error) {
	if err != nil {
		panic(testError{fmt.Errorf("%s: %w", e.name, err)})
	}
}

// newEnv makes an empty environment below dir; "" is the default.
func (t *torture) newEnv(dir string) *env {
	if dir == "" {
		dir = t.temp
	}
	name := fmt.Sprintf("e%d", t.envs.Add(1))
	e := &env{t: t, name: name, dir: filepath.Join(dir, name), began: time.Now(), spacing: 10 * time.Second}
	e.spool, e.state = filepath.Join(e.dir, "spool"), filepath.Join(e.dir, "state")
	e.must(os.MkdirAll(e.spool, 0o755))
	e.endpoint = t.listener.endpoint(name)
	e.url = t.listener.base + "/" + name
	return e
}

// end removes the environment, unless it is to be kept.
func (e *env) end() {
	e.t.listener.forget(e.name)
	if !e.t.keep {
		os.RemoveAll(e.dir)
	}
}

// spoolfwd is a command line of the product in this environment.
func (e *env) spoolfwd(command string, more ...string) program {
	args := []string{command}
	switch command {
	case "run", "flush":
		args = append(args, "--spool", e.spool, "--state-dir", e.state, "--url", e.url, "--retry-jitter", "0")
		if e.hostID != "" {
			args = append(args, "--host-id", e.hostID)
		}
	case "put":
		more = append(more, "--spool", e.spool)
	case "rejected": // behind retry or remove
		more = append(more, "--spool", e.spool, "--state-dir", e.state)
	case "breaker": // behind reset or trip
		more = append(more, "--state-dir", e.state)
	}
	path := e.t.spoolfwd
	if strings.HasPrefix(e.url, "nats://") {
		path += "-nats" // which spoolfwd would become
	}
	return program{path: path, args: append(args, more...), hostname: e.hostname}
}

// runToEnd runs a command and checks its outcome.
func (e *env) runToEnd(r *result, label string, p program) outcome {
	o, err := p.run()
	e.must(err)
	r.checkOutcome(label, o)
	return o
}

// finish lets the next runs finish the work, as a scheduler would, and takes a last inventory: the
// spool is empty, nothing was lost, and no temporary file is left. The listener accepts
// everything, and the breaker is not waited for.
func (e *env) finish(r *result, label string, allowed int) {
	old := time.Now().Add(-2 * time.Hour)
	for _, path := range e.find("spool/.spoolput-*") { // a younger one might belong to a put that runs
		e.must(os.Chtimes(path, old, old))
	}
	// One more payload, because a run that finds an empty spool does not sweep it.
	e.object("zz-last.json", `{"last":true}`)
	e.endpoint.answers(always(200))
	if e.occupied {
		e.must(os.Remove(filepath.Join(e.spool, "rejected")))
	}
	if e.tripped {
		e.runToEnd(r, label+": reset", e.spoolfwd("breaker", "reset"))
	}
	var last outcome
	for range 4 {
		last = e.runToEnd(r, label+": next run", e.spoolfwd("run", "--retry-timeout", "1ms", "--max-retry-after", "1ms", "-v"))
		if last.code == 0 || last.hung {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	i := e.takeInventory()
	r.checkInventory(label+": in the end", i, allowed)
	r.count(i)
	if i.left > 0 || last.code != 0 {
		r.failf("%s: %d items are still in the spool of a healthy listener\n%s", label, i.left, last)
	}
	if last.code == 0 {
		e.checkState(r, label+": in the end", []breakerState{closedAfter(0)})
	}
	if left := e.temporaries(); len(left) > 0 {
		r.failf("%s: temporary files are left: %v", label, left)
	}
}

// temporaries lists temporary files of the product, which no crash may leave for good.
func (e *env) temporaries() (left []string) {
	for _, dir := range []string{"spool", "spool/rejected", "state"} {
		for _, pattern := range []string{".spoolfwd-*", ".spoolput-*", "*.state[0-9]*", "*.index[0-9]*", "*.lastrun[0-9]*"} {
			left = append(left, e.find(dir+"/"+pattern)...)
		}
	}
	return left
}

func (e *env) find(pattern string) []string {
	found, err := filepath.Glob(filepath.Join(e.dir, pattern))
	e.must(err)
	return found
}

// waitForRequests waits until the listener has received n items.
func (e *env) waitForRequests(n int) {
	for deadline := time.Now().Add(processLimit); e.endpoint.count() < n; {
		if time.Now().After(deadline) {
			e.must(fmt.Errorf("no %d requests within %v", n, processLimit))
		}
		time.Sleep(time.Millisecond)
	}
}
