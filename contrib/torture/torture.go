//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// torture is what all scenarios share.
type torture struct {
	options
	spoolfwd string // path of the program under test
	listener *listener
	temp     string // directory of the environments
	disk     string // directory on the disk, for the program
	envs     atomic.Int64

	mu       sync.Mutex
	cleanups map[int]func()
	next     int
}

// newTorture builds the program and makes a directory for the environments. It is in memory where
// possible, since thousands of files are made in it. A scenario about disks brings its own file
// system.
func newTorture(o options) (*torture, error) {
	t := &torture{options: o, cleanups: map[int]func(){}}
	if err := t.prepare(); err != nil {
		t.cleanUp()
		return nil, err
	}
	return t, nil
}

func (t *torture) prepare() (err error) {
	if t.disk, err = os.MkdirTemp("", "spoolfwd-torture-"); err != nil {
		return err
	}
	t.onExit(func() { os.RemoveAll(t.disk) })
	if t.temp, err = os.MkdirTemp("/dev/shm", "spoolfwd-torture-"); err != nil {
		t.temp = filepath.Join(t.disk, "environments")
		err = os.Mkdir(t.temp, 0o755)
	}
	if err != nil {
		return err
	}
	if t.keep {
		fmt.Println("the directories of all rounds are kept in", t.temp)
	} else {
		t.onExit(func() { os.RemoveAll(t.temp) })
	}
	// A process that runs as another user must reach both.
	if err = errors.Join(os.Chmod(t.temp, 0o755), os.Chmod(t.disk, 0o755), t.build()); err != nil {
		return err
	}
	if t.listener, err = listen(); err != nil {
		return err
	}
	t.onExit(t.listener.close)
	return nil
}

// build builds both programs the way releases are built: without cgo, which has another resolver.
// The version is not asked of git, which refuses to answer a user who does not own the checkout.
func (t *torture) build() error {
	t.spoolfwd = filepath.Join(t.disk, "spoolfwd")
	for program, tags := range map[string]string{t.spoolfwd: "", t.spoolfwd + "-nats": "nats"} {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", tags, "-o", program, "github.com/bitville-apm/spoolfwd/cmd/spoolfwd")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building spoolfwd: %w\n%s", err, out)
		}
	}
	return nil
}

// onExit registers what must be undone however this program ends. The function that it returns
// undoes it at once.
func (t *torture) onExit(undo func()) (now func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.next
	t.next++
	t.cleanups[n] = undo
	return func() {
		t.mu.Lock()
		_, due := t.cleanups[n]
		delete(t.cleanups, n)
		t.mu.Unlock()
		if due {
			undo()
		}
	}
}

// cleanUp undoes everything, the latest first.
func (t *torture) cleanUp() {
	for {
		t.mu.Lock()
		t.next--
		n := t.next
		undo := t.cleanups[n]
		delete(t.cleanups, n)
		t.mu.Unlock()
		if n < 0 {
			return
		}
		if undo != nil {
			undo()
		}
	}
}

// random is the source of chance of one round of a random scenario.
func (t *torture) random(round int) *rand.Rand { return rand.New(rand.NewPCG(t.seed, uint64(round))) }

// rounds chooses how many rounds a random scenario has.
func (t *torture) rounds(ci, full int) int {
	if t.ci {
		return ci
	}
	return full
}

// runAll runs the chosen scenarios one after the other and prints the table.
func (t *torture) runAll() int {
	var chosen []scenario
	for _, s := range scenarios() {
		if ok, _ := path.Match(t.only, s.name); ok {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		fmt.Fprintf(os.Stderr, "torture: no scenario is called %s; see -list\n", t.only)
		return 64
	}
	table := newTable(os.Stdout, t.options)
	for _, s := range chosen {
		r := &result{verbose: t.verbose}
		t.runScenario(s, r)
		table.row(s, r)
	}
	return table.end()
}
