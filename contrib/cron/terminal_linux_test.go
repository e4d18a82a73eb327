package cron_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A person would wait for up to a minute, and not know for what.
func TestARunAtATerminalBeginsAtOnce(t *testing.T) {
	c := newCron(t)
	c.spread = "55"
	c.program(t, "sleep", `echo "slept $1" >>"${0%/*}/sleeps"`)
	c.program(t, "spoolfwd", `echo ran >>"${0%/*}/runs"`)
	cmd := c.command()
	cmd.Stderr = terminal(t)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "runs")); err != nil {
		t.Errorf("spoolfwd does not run: %v", err)
	}
	if slept, err := os.ReadFile(filepath.Join(c.dir, "sleeps")); err == nil {
		t.Errorf("at a terminal it sleeps: %q", slept)
	}
}

// terminal returns the side of a new pseudoterminal that programs write to.
func terminal(t *testing.T) *os.File {
	t.Helper()
	open := func(path string) *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	master := open("/dev/ptmx")
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return open(fmt.Sprintf("/dev/pts/%d", number))
}
