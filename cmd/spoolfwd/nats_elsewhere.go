//go:build !nats

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// natsProgram is this program with the client for NATS, built with -tags nats. Go initializes what
// is in a program at every start, and that client is an eighth of a run that finds nothing to do.
// So those who send to an HTTP listener do not carry it.
const natsProgram = "spoolfwd-nats"

// newPublisher makes this process natsProgram, which begins from the same arguments, and returns
// only errors. Nothing is locked or changed yet, and root has not given up its rights, so that the
// other can read again what only root can.
func (s *session) newPublisher() (transmitter, error) {
	self, err := os.Executable()
	if err != nil {
		err = fmt.Errorf("NATS needs %s, and where it is is not known: %w", natsProgram, err)
		return nil, withHint(err, "start "+natsProgram+" itself; it takes the same arguments")
	}
	path := filepath.Join(filepath.Dir(self), natsProgram)
	if filepath.Base(s.env.Args[0]) == natsProgram { // a copy or a link of this one, which would never end
		err = errors.New("it was built without -tags nats")
	} else {
		err = s.startAgain(path)
	}
	return nil, withHint(fmt.Errorf("NATS needs %s: %w", path, err), "install it beside spoolfwd; it is in packages and archives, and make build makes it")
}

// startAgain makes this process another program with the same arguments. It returns only errors.
func (s *session) startAgain(path string) error {
	args := slices.Clone(s.env.Args)
	args[0] = path
	pipe, err := s.configAgain()
	if err != nil {
		return err
	}
	if pipe != nil {
		defer pipe.Close()
		fd, err := syscall.Dup(int(pipe.Fd())) // the copy survives the exec
		if err != nil {
			return err
		}
		defer syscall.Close(fd)
		args = append(args, "--config", fmt.Sprint("/dev/fd/", fd)) // the last one counts
	}
	return syscall.Exec(path, args, s.env.Environ)
}

// configAgain returns the configuration in a new pipe if it came out of one, which gives it once.
func (s *session) configAgain() (*os.File, error) {
	info, err := os.Stat(s.cfg.Config)
	if err != nil || info.Mode().Type() != os.ModeNamedPipe {
		return nil, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	// Nobody reads yet, so what is larger than the system's pipes would wait for ever.
	w.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := w.Write(s.cfg.ConfigText); err != nil {
		r.Close()
		return nil, fmt.Errorf("the configuration is too large for a pipe: %w", err)
	}
	return r, nil
}
