//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// processLimit is how long any process may live. A process that takes longer hangs: every round is
// a few payloads, and every timeout in it is a second or two.
const processLimit = 60 * time.Second

// program is a process to be started.
type program struct {
	path     string
	args     []string
	stdin    io.Reader
	hostname string       // "": the machine's
	watch    *interceptor // nil: nothing is intercepted
}

// running is a process that was started.
type running struct {
	args           []string
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	begun          time.Time
	hung           chan bool
	timer          *time.Timer
	served         chan struct{} // closed when the interceptor has ended
}

func (p program) start() (*running, error) {
	r := &running{args: p.args, hung: make(chan bool, 1), served: make(chan struct{})}
	path, args := p.path, append([]string{p.path}, p.args...)
	var ends [2]int
	var handed *os.File
	if p.watch != nil || p.hostname != "" {
		task := helperTask{Hostname: p.hostname, Path: path, Args: args}
		if p.watch != nil {
			for _, info := range interceptable() {
				task.Intercept = append(task.Intercept, info.nr)
			}
			var err error
			if ends, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0); err != nil {
				return nil, os.NewSyscallError("socketpair", err)
			}
			handed = os.NewFile(uintptr(ends[1]), "filter")
			defer handed.Close()
			defer unix.Close(ends[0])
		}
		text, err := json.Marshal(task)
		if err != nil {
			return nil, err
		}
		path, args = "/proc/self/exe", []string{"torture", helperMark, string(text)}
	}
	r.cmd = &exec.Cmd{
		Path: path, Args: args, Stdin: p.stdin, Stdout: &r.stdout, Stderr: &r.stderr,
		// Nothing in the environment configures the product or sends it through a proxy.
		Env:         []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LANG=C"},
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL},
	}
	if handed != nil {
		r.cmd.ExtraFiles = []*os.File{handed}
	}
	r.begun = time.Now()
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	if p.watch == nil {
		close(r.served)
	} else if err := r.intercept(p.watch, ends[0], handed); err != nil {
		r.cmd.Process.Kill()
		r.cmd.Wait()
		return nil, err
	}
	r.timer = time.AfterFunc(processLimit, func() {
		r.hung <- true
		r.cmd.Process.Signal(unix.SIGQUIT) // prints the goroutines' stacks
		time.AfterFunc(time.Second, func() { r.cmd.Process.Kill() })
	})
	return r, nil
}

func (r *running) intercept(watch *interceptor, socket int, handed *os.File) error {
	handed.Close() // otherwise the socket stays open when the helper ends, and the next line waits
	fd, err := receiveFD(socket)
	if err != nil {
		return err
	}
	go func() {
		defer close(r.served)
		watch.serve(fd, r.cmd.Process)
	}()
	return nil
}

// wait waits for the end of the process.
func (r *running) wait() outcome {
	err := r.cmd.Wait()
	o := outcome{took: time.Since(r.begun), args: r.args}
	r.timer.Stop()
	<-r.served
	select {
	case o.hung = <-r.hung:
	default:
	}
	o.stdout, o.stderr = r.stdout.String(), r.stderr.String()
	o.code = r.cmd.ProcessState.ExitCode()
	if status, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		o.signal = status.Signal()
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		o.stderr += fmt.Sprintf("\n(%v)", err)
	}
	return o
}

// run runs a program to its end.
func (p program) run() (outcome, error) {
	r, err := p.start()
	if err != nil {
		return outcome{}, err
	}
	return r.wait(), nil
}
