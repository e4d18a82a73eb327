package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// strangerLocks lets another user lock a directory, with flags of flock(1), until the test ends.
func strangerLocks(t *testing.T, dir string, flags ...string) {
	t.Helper()
	const stranger = "12345"
	args := append([]string{"--reuid", stranger, "--regid", stranger, "--clear-groups", "flock"}, flags...)
	cmd := exec.Command(need.Program(t, "setpriv", "util-linux"), append(args, dir, "sh", "-c", "echo locked; cat")...)
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the stranger has no lock: %q, %v", line, err)
	}
}

// Whoever can open a directory can lock it, and must not stop deliveries by that.
func TestAStrangersLockStopsNothing(t *testing.T) {
	for _, c := range []struct {
		name  string
		lock  func(w *world) string
		flags []string
	}{
		{"a shared lock on the spool", func(w *world) string { return w.spool }, []string{"--shared"}},
		{"an exclusive lock on the spool", func(w *world) string { return w.spool }, nil},
		{"a lock on a rejected/ that everybody can open", func(w *world) string {
			rejected := filepath.Join(w.spool, "rejected")
			makeDir(t, rejected, nobody)
			return rejected
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := newServiceWorld(t)
			w.putAs(nobody, "a.json", `{}`)
			strangerLocks(t, c.lock(w), c.flags...)
			w.do("run").wantCode(t, exit.OK).wantSilence(t)
			if left := w.left(); len(left) != 0 {
				t.Errorf("the spool holds %q", left)
			}
		})
	}
}

// A stranger's lock must not hide two runs from each other either, and neither must the name of the
// program or a system that tells nothing of locks, as under the hardened unit.
func TestASecondBreakerOnOneSpoolIsNoticed(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, w *world)
		says    string
	}{
		{"under another name of the program", func(t *testing.T, w *world) {
			other := filepath.Join(t.TempDir(), "sf")
			if err := os.Symlink(w.program, other); err != nil {
				t.Fatal(err)
			}
			w.program = other
		}, "in use by process "},
		{"while a stranger has locked the spool", func(t *testing.T, w *world) { strangerLocks(t, w.spool, "--shared") }, "in use by process "},
		{"where the system does not tell who holds a lock", func(t *testing.T, w *world) { w.wrapper = withoutLocks(t) }, "in use by another process"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := newServiceWorld(t)
			w.putAs(nobody, "a.json", `{}`)
			other := &world{t: t, spool: w.spool, state: w.state, listener: w.listener, env: w.env, program: w.program}
			other.env.Stdin = strings.NewReader("") // both runs read theirs at once
			c.prepare(t, other)
			var second result
			w.onRequest = func() {
				w.onRequest = nil
				second = other.do("run", "--name", "b")
			}
			w.do("run", "--name", "a").wantCode(t, exit.OK).wantSilence(t)
			second.wantCode(t, exit.Config)
			wantText(t, "the second run", second.stderr, c.says, "another lock than the breaker b")
			if got := len(w.received()); got != 1 {
				t.Errorf("the payload was sent %d times", got)
			}
		})
	}
}

// withoutLocks returns what runs a program with a /proc that shows processes only.
func withoutLocks(t *testing.T) []string {
	t.Helper()
	unshare := need.Program(t, "unshare", "util-linux")
	mount := "mount -t proc -o subset=pid proc /proc"
	if out, err := exec.Command(unshare, "--mount", "sh", "-c", mount).CombinedOutput(); err != nil {
		need.Refused(t, "no such /proc can be mounted here: %s", out)
	}
	return []string{unshare, "--mount", "sh", "-c", mount + ` && exec "$0" "$@"`}
}
