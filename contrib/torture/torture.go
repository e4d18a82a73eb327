//go:build linux && (amd64 || arm64)

package main

import (
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
	binaries binaries
	listener *listener
	temp     string // worlds that need no certain file system
	disk     string // on the disk, for images of file systems
	worlds   atomic.Int64

	mu       sync.Mutex
	cleanups map[int]func()
	next     int
}

// binaries are the paths of the programs under test.
type binaries struct{ spoolfwd, fakelistener string }

// newTorture builds the binaries and makes a place for the worlds: in memory,
// since many thousand files are made and the disk is nobody's business here,
// except where a scenario brings a file system of its own.
func newTorture(o options) (*torture, error) {
	t := &torture{options: o, cleanups: map[int]func(){}}
	var err error
	if t.disk, err = os.MkdirTemp("", "spoolfwd-torture-"); err != nil {
		return nil, err
	}
	t.onExit(func() { os.RemoveAll(t.disk) })
	if t.temp, err = os.MkdirTemp("/dev/shm", "spoolfwd-torture-"); err != nil {
		t.temp = filepath.Join(t.disk, "worlds")
		err = os.Mkdir(t.temp, 0o755)
	}
	if !o.keep {
		t.onExit(func() { os.RemoveAll(t.temp) })
	} else {
		fmt.Println("worlds are kept in", t.temp)
	}
	if err == nil {
		// Other users are to reach the worlds and the programs.
		err = os.Chmod(t.temp, 0o755)
	}
	if err == nil {
		err = os.Chmod(t.disk, 0o755)
	}
	if err == nil {
		err = t.build()
	}
	if err == nil {
		t.listener, err = listen()
	}
	if err != nil {
		t.cleanUp()
		return nil, err
	}
	t.onExit(t.listener.close)
	return t, nil
}

// build builds the programs the way releases are built: without cgo, whose
// resolver is another one. The version is not asked of git, which tells nothing
// to a user who does not own the checkout.
func (t *torture) build() error {
	t.binaries = binaries{filepath.Join(t.disk, "spoolfwd"), filepath.Join(t.disk, "fakelistener")}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", t.disk+"/", "github.com/bitville-apm/spoolfwd/cmd/spoolfwd", "github.com/bitville-apm/spoolfwd/cmd/fakelistener")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the programs do not build: %w\n%s", err, out)
	}
	return nil
}

// onExit registers what must be undone however this program ends. The function
// returned does it now.
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

// cleanUp undoes everything, the last first.
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

// random is the hand that moves one round of a random scenario.
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
		t.play(s, r)
		table.row(s, r)
	}
	return table.end()
}
