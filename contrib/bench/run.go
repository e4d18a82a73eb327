//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaced in the environment says that this process has a mount namespace of
// its own.
const namespaced = "SPOOLFWD_BENCH_NAMESPACED"

// result is what a mode of this program finds out.
type result interface{ markdown(w io.Writer) }

// run is the program and returns its exit code.
func run(args []string) int {
	o, err := parse(args, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 64
	}
	if os.Geteuid() == 0 && o.dir == "" && os.Getenv(namespaced) == "" {
		return inNamespace(args)
	}
	return measure(o)
}

// inNamespace runs this program again in a mount namespace of its own: what is
// mounted there is gone when its last process is, whatever ends it.
func inNamespace(args []string) int {
	again := exec.Command("/proc/self/exe", args...)
	again.Env = append(os.Environ(), namespaced+"=1")
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	again.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGTERM}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	if err := again.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: no mount namespace:", err)
		return 1
	}
	go func() {
		for s := range signals {
			again.Process.Signal(s)
		}
	}()
	again.Wait() // what went wrong has been said
	return again.ProcessState.ExitCode()
}

// measure does what the options say and prints the result.
func measure(o options) (code int) {
	b, err := newBench(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	defer b.cleanUp()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	done := make(chan error, 1)
	go func() { done <- b.print() }()
	select {
	case err = <-done:
	case s := <-signals: // what is being measured dies with the process
		n := s.(syscall.Signal)
		fmt.Fprintln(os.Stderr, "bench: ended by", unix.SignalName(n))
		return 128 + int(n)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

// print measures and prints.
func (b *bench) print() error {
	mode := b.race
	switch {
	case b.options.scale:
		mode = b.scaleUp
	case b.options.idle:
		mode = b.idleTick
	}
	r, err := mode()
	if err != nil {
		return err
	}
	if b.json {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(r)
	}
	r.markdown(os.Stdout)
	return nil
}
