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

// workload is a spool and a command in which certain things happen. The matrices play it once for
// each system call, with a fault there.
type workload struct {
	name        string
	build       func(e *env)
	command     []string // default run
	flags       []string
	stdin       string
	concurrency int  // default 1, so that every run makes the same calls
	inHand      int  // files that it may work on at once; default 1
	crashOnly   bool // not for the fault matrix, and the breaker's states are not listed
	once        bool // the listener stores an item once, so that none is there twice

	breaker     []breakerState // see states; default closed, without a failure, all the time
	underFaults []breakerState // further states that a fault may lead to
}

// item is an item that tells the listener how to answer it.
func item(n int, answer string) string { return fmt.Sprintf(`{"n":%d,"answer":"%s"}`, n, answer) }

// answerAsAsked answers as the item says.
func answerAsAsked(body string) answer {
	switch {
	case strings.Contains(body, `"answer":"400"`):
		return answer{status: 400}
	case strings.Contains(body, `"answer":"422"`):
		return answer{status: 422}
	case strings.Contains(body, `"answer":"500"`):
		return answer{status: 500}
	case strings.Contains(body, `"answer":"503"`):
		return answer{status: 503, retryAfter: "90"}
	case strings.Contains(body, `"answer":"drop"`):
		return answer{}
	}
	return answer{status: 200}
}

// program is the workload's command in an environment that is built.
func (l workload) program(e *env) program {
	command := l.command
	if command == nil {
		command = []string{"run", "--concurrency", fmt.Sprint(max(1, l.concurrency))}
	}
	p := e.spoolfwd(command[0], append(command[1:], l.flags...)...)
	if l.stdin != "" {
		p.stdin = strings.NewReader(l.stdin)
	}
	return p
}

// play plays a workload once. decide is asked at each call. The environment is there until check
// has looked at it; before is the inventory before the command.
func (t *torture) play(l workload, decide func(e *env, c *call) action, check func(e *env, before inventory, o outcome)) {
	e := t.newEnv("")
	defer e.end()
	e.endpoint.answers(answerAsAsked)
	l.build(e)
	before := e.takeInventory()
	p := l.program(e)
	p.watch = &interceptor{root: e.dir, decide: func(c *call) action { return decide(e, c) }}
	o, err := p.run()
	e.must(err)
	if check != nil {
		check(e, before, o)
	}
}

// chosen are the workloads that the command line asks for.
func (t *torture) chosen() (chosen []workload) {
	for _, l := range workloads() {
		if ok, _ := path.Match(t.workload, l.name); ok {
			chosen = append(chosen, l)
		}
	}
	return chosen
}

// countPut makes what put has named a certain item: it is on the disk when its name is printed.
func (e *env) countPut(o outcome) {
	if o.args[0] == "put" && strings.HasPrefix(o.stdout, "put_") {
		e.spooled.confirmAll()
	}
}

// earlierRun is an undisturbed run before the workload's own command.
func (e *env) earlierRun(flags ...string) {
	e.endpoint.answers(answerAsAsked)
	o, err := e.spoolfwd("run", append(flags, "--concurrency", "1")...).run()
	e.must(err)
	if o.signal != 0 || o.hung {
		e.must(fmt.Errorf("an earlier run ended badly: %v", o))
	}
}

// leaveRejected leaves an object and an item of an array in rejected/.
func (e *env) leaveRejected() {
	e.object("a.json", item(1, "400"))
	e.array("b.json", item(2, "200"), item(3, "400"), item(4, "200"))
	e.earlierRun()
	e.object("later.json", item(9, "200")) // resets the breaker's count
	e.earlierRun()
}

// leaveUndeletable is an earlier run that could not remove a payload file after its delivery.
func (e *env) leaveUndeletable(name string) {
	e.endpoint.answers(answerAsAsked)
	p := e.spoolfwd("run", "--concurrency", "1")
	p.watch = &interceptor{root: e.dir, decide: func(c *call) action {
		if c.name == "unlinkat" && c.target == "spool/"+name {
			return action{fail: unix.EIO}
		}
		return action{}
	}}
	_, err := p.run()
	e.must(err)
}

// occupyRejected puts a file in the place of rejected/, until finish.
func (e *env) occupyRejected() {
	e.occupied = true
	e.must(os.WriteFile(filepath.Join(e.spool, "rejected"), []byte("mine"), 0o600))
}

// leaveTemporaries leaves what killed runs and other programs leave behind.
func (e *env) leaveTemporaries() {
	e.must(os.MkdirAll(e.state, 0o755))
	e.badState = `{"state":`
	for _, path := range []string{
		"spool/.spoolfwd-0123456789abcdef.tmp", "spool/.spoolput-0123456789abcdef.tmp",
		"state/central_listener.state1234567", "state/central_listener.index1234567",
		"state/central_listener.state", "state/central_listener.index",
	} {
		path = filepath.Join(e.dir, path)
		e.must(os.WriteFile(path, []byte(e.badState), 0o644))
		old := time.Now().Add(-2 * time.Hour)
		e.must(os.Chtimes(path, old, old))
	}
}
