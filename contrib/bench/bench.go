//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// bench is what all measurements share: options, a place, and the programs.
type bench struct {
	options
	work    string // temporary directory
	spool   string
	state   string // of the breaker
	place   string // what kind of file system the spool is on, for the reader
	machine machine
	patient time.Time // until then turns are repeated for want of calm

	once sync.Once
	undo []func()
}

func newBench(o options) (*bench, error) {
	b := &bench{options: o, machine: thisMachine(), patient: time.Now().Add(o.patience)}
	var err error
	if b.work, err = os.MkdirTemp("", "spoolfwd-bench-"); err != nil {
		return nil, err
	}
	b.onExit(func() { os.RemoveAll(b.work) })
	if err := b.prepare(); err != nil {
		b.cleanUp()
		return nil, err
	}
	return b, nil
}

func (b *bench) prepare() error {
	disk, err := b.makeDisk()
	if err != nil {
		return err
	}
	b.machine.FileSystem = b.place
	b.spool, b.state = filepath.Join(disk, "spool"), filepath.Join(disk, "state")
	for _, dir := range []string{b.spool, b.state} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	return b.build("-o", b.work+"/", "github.com/bitville-apm/spoolfwd/cmd/spoolfwd", "github.com/bitville-apm/spoolfwd/cmd/fakelistener")
}

// build builds programs the way releases are built.
func (b *bench) build(args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-tags=urfave_cli_no_docs", "-ldflags=-s -w"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the programs do not build: %w\n%s", err, out)
	}
	return nil
}

func (b *bench) program(name string) string { return filepath.Join(b.work, name) }

// say tells a person who waits how far it has come.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// onExit registers what must be undone however this program ends.
func (b *bench) onExit(undo func()) { b.undo = append(b.undo, undo) }

// cleanUp undoes everything once, the last first.
func (b *bench) cleanUp() {
	b.once.Do(func() {
		for i := len(b.undo) - 1; i >= 0; i-- {
			b.undo[i]()
		}
	})
}
