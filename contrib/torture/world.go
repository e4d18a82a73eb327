//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// world is one spool, one state directory and one listener, for one round.
type world struct {
	t           *torture
	name        string
	dir         string // above spool and state
	spool       string
	state       string
	endpoint    *endpoint
	url         string // where the product is sent; the endpoint's, or a hostile listener's
	books       ledger
	owner       *syscall.Credential // who produces and runs; nil: who runs this
	began       time.Time
	making      sync.Mutex // where several produce by rename
	made        int        // files spooled
	stateBefore float64    // times in a state file that this test wrote
	tripped     bool       // by a person, who will take it back
	spoiled     string     // content of a bad state file that this test wrote
}

// trouble is what a broken world panics with: a fault of the test itself, such
// as a full disk, which ends the scenario.
type trouble struct{ err error }

func (w *world) must(err error) {
	if err != nil {
		panic(trouble{fmt.Errorf("%s: %w", w.name, err)})
	}
}

// newWorld makes an empty world below dir; "" is memory, where there is some.
func (t *torture) newWorld(dir string) *world {
	if dir == "" {
		dir = t.temp
	}
	name := fmt.Sprintf("w%d", t.worlds.Add(1))
	w := &world{t: t, name: name, dir: filepath.Join(dir, name), began: time.Now()}
	w.spool, w.state = filepath.Join(w.dir, "spool"), filepath.Join(w.dir, "state")
	w.must(os.MkdirAll(w.spool, 0o755))
	w.endpoint = t.listener.endpoint(name)
	w.url = w.endpoint.url
	return w
}

// end removes the world, unless it is to be looked at.
func (w *world) end() {
	w.t.listener.forget(w.name)
	if w.t.keep {
		return
	}
	os.RemoveAll(w.dir)
}

// spoolfwd is a command line of the product in this world.
func (w *world) spoolfwd(command string, more ...string) program {
	args := []string{command}
	switch command {
	case "run", "flush":
		args = append(args, "--spool", w.spool, "--state-dir", w.state, "--url", w.url, "--retry-jitter", "0")
	case "put":
		more = append(more, "--spool", w.spool)
	case "rejected": // behind list, retry or remove
		more = append(more, "--spool", w.spool)
		if more[0] != "list" {
			more = append(more, "--state-dir", w.state)
		}
	case "breaker":
		more = append(more, "--state-dir", w.state) // behind reset or trip
	}
	return program{path: w.t.binaries.spoolfwd, args: append(args, more...), user: w.owner}
}

// heal runs until the spool is empty, as a scheduler would go on to, with a
// listener that takes everything and a breaker that is not waited for.
func (w *world) heal() ([]outcome, error) {
	w.endpoint.answers(always(200))
	w.url = w.endpoint.url
	var all []outcome
	if w.tripped {
		o, err := w.spoolfwd("breaker", "reset").run()
		if all = append(all, o); err != nil {
			return all, err
		}
	}
	for range 4 {
		o, err := w.spoolfwd("run", "--retry-timeout", "1ms", "--max-retry-after", "1ms", "-v").run()
		if err != nil {
			return all, err
		}
		all = append(all, o)
		if o.code == 0 || o.hung {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	return all, nil
}

// debris lists temporary files, which no crash may leave behind for good.
func (w *world) debris() (left []string) {
	for _, dir := range []string{w.spool, filepath.Join(w.spool, "rejected"), w.state} {
		for _, pattern := range []string{".spoolfwd-*", ".spoolput-*", "*.state[0-9]*", "*.index[0-9]*"} {
			found, _ := filepath.Glob(filepath.Join(dir, pattern))
			for _, path := range found {
				left = append(left, nameless(path, w.dir))
			}
		}
	}
	return left
}
