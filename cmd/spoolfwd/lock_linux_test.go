package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// strangersLock lets another program hold the lock, which everybody could open in an earlier
// version. Script is what it does with the lock; it says "locked" first.
func (w *world) strangersLock(script string) {
	w.t.Helper()
	w.do("breaker reset").wantCode(w.t, exit.OK)
	cmd := exec.Command("flock", "--shared", filepath.Join(w.state, "central_listener.lock"), "sh", "-c", script)
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		in.Close()
		_, _ = io.Copy(io.Discard, out) // ends when the last process has
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		w.t.Fatalf("there is no lock: %q, %v", line, err)
	}
}

// Anybody who could open the lock stopped all deliveries, and nobody was told.
func TestALockThatIsHeldForAnHourIsTold(t *testing.T) {
	if os.Getenv("SPOOLFWD_TEST_WITHOUT_LOCKS") == "" {
		t.Run("where the system does not tell who holds it", func(t *testing.T) {
			cmd := slices.Concat(withoutLocks(t), []string{os.Args[0], "-test.run=^TestALockThatIsHeldForAnHourIsTold$"})
			again := exec.Command(cmd[0], cmd[1:]...)
			again.Env = append(os.Environ(), "SPOOLFWD_TEST_WITHOUT_LOCKS=1")
			if out, err := again.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	for _, c := range []struct{ name, script string }{
		{"by a process that did not sign", "echo locked; cat"},
		{"by a child of a process that has ended", "kill -9 $PPID; echo locked; cat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.put("a.json", `{}`)
			w.strangersLock(c.script)
			r := w.do("status").wantCode(t, exit.OK)
			if strings.Contains(r.stdout, "since") {
				t.Errorf("status knows since when:\n%s", r.stdout)
			}
			w.do("run").wantCode(t, exit.Busy).wantSilence(t)
			w.pass(59 * time.Minute)
			w.do("run").wantCode(t, exit.Busy).wantSilence(t)
			r = w.do("check").wantCode(t, exit.OK)
			wantNoText(t, "check", r.stdout, "locked")

			w.pass(2 * time.Minute)
			r = w.do("run").wantCode(t, exit.Busy)
			wantText(t, "standard error", r.stderr, "central_listener.lock has been locked for more than an hour, by ",
				" since 2026-03-01 12:00:", "nothing is sent until that process ends")
			r = w.do("status").wantCode(t, exit.OK)
			wantText(t, "status", r.stdout, "lock           held by ", "process ", ", since 1h01m")
			r = w.do("check").wantCode(t, exit.OK)
			wantText(t, "check", r.stdout, "warn state: ", "central_listener.lock has been locked for more than an hour, by ")
			r = w.do("status", "--check", "--warning-age", "3h", "--critical-age", "4h").wantCode(t, pluginWarning)
			wantText(t, "status --check", r.stdout, "has held the lock for 1h01m")
		})
	}
}

// What was noted of one unknown holder says nothing of the next.
func TestALockThatWasReleasedInBetweenIsNotHeldForLong(t *testing.T) {
	w := newWorld(t)
	w.do("breaker reset").wantCode(t, exit.OK)
	hold := func() (release func()) {
		file, err := os.Open(filepath.Join(w.state, "central_listener.lock"))
		if err == nil {
			err = unix.Flock(int(file.Fd()), unix.LOCK_SH)
		}
		if err != nil {
			t.Fatal(err)
		}
		return func() { _ = unix.Flock(int(file.Fd()), unix.LOCK_UN); file.Close() }
	}
	release := hold()
	w.do("run").wantCode(t, exit.Busy).wantSilence(t)
	release()
	w.pass(time.Hour)
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	w.pass(time.Hour)
	defer hold()()
	w.do("run").wantCode(t, exit.Busy).wantSilence(t)
}

// A run is known by the signature that it writes into the lock, which says since when it holds it.
func TestStatusNamesTheRunThatHoldsTheLock(t *testing.T) {
	w := newWorld(t)
	w.do("breaker reset").wantCode(t, exit.OK)
	lock, err := takeLock(filepath.Join(w.state, "central_listener.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	lock.Sign(w.time().Add(-5 * time.Minute))
	var got struct{ Lock lockHolder }
	if err := json.Unmarshal([]byte(w.do("status", "--json").stdout), &got); err != nil {
		t.Fatal(err)
	}
	if h := got.Lock; h.PID != os.Getpid() || h.Command == "" || !h.Since.Equal(w.time().Add(-5*time.Minute)) {
		t.Errorf("the holder is %+v, want this process, for five minutes", h)
	}
}

// flock(2) needs no more than the right to read.
func TestAnotherUserCannotHoldTheLockOfARun(t *testing.T) {
	w, _ := newServiceWorld(t)
	w.do("breaker trip").wantCode(t, exit.OK)
	const stranger = 12345
	flock := exec.Command(need.Program(t, "setpriv", "util-linux"), "--reuid", strconv.Itoa(stranger), "--regid", strconv.Itoa(stranger), "--clear-groups",
		"flock", "-s", filepath.Join(w.state, "central_listener.lock"), "true")
	if out, err := flock.CombinedOutput(); err == nil || !strings.Contains(string(out), "denied") {
		t.Errorf("another user locks it: %v, %s", err, out)
	}
}
