//go:build !nats

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// natsProgram is this program with the client for NATS, built with -tags nats. Go initializes what
// is in a program at every start, and that client is a tenth of a run that finds nothing to do.
// So those who send to an HTTP listener do not carry it.
const natsProgram = "spoolfwd-nats"

// newPublisher makes this process natsProgram, which begins from the same arguments, and returns
// only errors. Nothing is locked or changed yet, and root has not given up its rights, so that the
// other can read again what only root can.
func (s *session) newPublisher() (transmitter, error) {
	itself := "start " + natsProgram + " itself; it takes the same arguments"
	self, err := os.Executable()
	if err != nil {
		return nil, withHint(fmt.Errorf("NATS needs %s, and where it is is not known: %w", natsProgram, err), itself)
	}
	if info, err := os.Stat(s.cfg.Config); err == nil && !info.Mode().IsRegular() {
		return nil, withHint(fmt.Errorf("%s is not a file, and %s could not read it once more", s.cfg.Config, natsProgram), itself)
	}
	path := filepath.Join(filepath.Dir(self), natsProgram)
	if filepath.Base(s.env.Args[0]) == natsProgram { // a copy or a link of this one, which would never end
		err = errors.New("it was built without -tags nats")
	} else {
		args := slices.Clone(s.env.Args)
		args[0] = path
		err = syscall.Exec(path, args, s.env.Environ)
	}
	return nil, withHint(fmt.Errorf("NATS needs %s: %w", path, err), "install it beside spoolfwd; it is in packages and archives, and make build makes it")
}
