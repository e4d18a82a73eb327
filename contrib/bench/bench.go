//go:build linux

package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bench is what all measurements share: options, directories and the built programs.
type bench struct {
	options
	work  string // temporary directory
	spool string
	state string // of the breaker
	place string // the file system of the spool, for the reader

	trusted *x509.CertPool // by clients in this process; nil before secure

	once sync.Once
	undo []func()
}

func newBench(o options) (*bench, error) {
	b := &bench{options: o}
	var err error
	if b.work, err = os.MkdirTemp("", "spoolfwd-bench-"); err != nil {
		return nil, err
	}
	b.onExit(func() { os.RemoveAll(b.work) })
	if err = b.prepare(); err != nil {
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
	b.spool, b.state = filepath.Join(disk, "spool"), filepath.Join(disk, "state")
	for _, dir := range []string{b.spool, b.state} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	const module = "github.com/bitville-apm/spoolfwd/cmd/"
	return b.build("-o", b.work+"/", module+"spoolfwd", module+"fakelistener")
}

// build builds programs the way releases are built.
func (b *bench) build(args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-tags=urfave_cli_no_docs", "-ldflags=-s -w"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	return nil
}

func (b *bench) program(name string) string { return filepath.Join(b.work, name) }

// command is a command line of the built spoolfwd.
func (b *bench) command(url string, flags ...string) *exec.Cmd {
	cmd := exec.Command(b.program("spoolfwd"), append([]string{"run", "--spool", b.spool, "--state-dir", b.state, "--url", url}, flags...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGTERM}
	return cmd
}

// progress tells the person who waits how far it has come.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

func (b *bench) onExit(undo func()) { b.undo = append(b.undo, undo) }

// cleanUp undoes everything once, the latest first.
func (b *bench) cleanUp() {
	b.once.Do(func() {
		for i := len(b.undo) - 1; i >= 0; i-- {
			b.undo[i]()
		}
	})
}

// machine is the line without which a number means nothing.
func (b *bench) machine() string {
	cpu := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	var u unix.Utsname
	unix.Uname(&u) // cannot fail: uname(2)
	return fmt.Sprintf("%s, %d x %s, Linux %s, %s, %s", time.Now().Format("2006-01-02"), runtime.NumCPU(), cpu,
		unix.ByteSliceToString(u.Release[:]), runtime.Version(), b.place)
}
