package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/holder"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// strangersLock makes the lock of an earlier version, which everybody could open, and lets another
// program hold it.
func (w *world) strangersLock() (pid int) {
	w.t.Helper()
	w.do("breaker reset").wantCode(w.t, exit.OK)
	path := filepath.Join(w.state, "central_listener.lock")
	file, err := os.Open(path)
	if err == nil {
		err = unix.Flock(int(file.Fd()), unix.LOCK_SH)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { file.Close() })
	return os.Getpid()
}

// Anybody who could open the lock stopped all deliveries, and nobody was told.
func TestALockThatIsHeldForAnHourIsTold(t *testing.T) {
	w := newWorld(t)
	w.now = time.Now()
	w.put("a.json", `{}`)
	pid := strconv.Itoa(w.strangersLock())
	w.do("run").wantCode(t, exit.Busy).wantSilence(t)
	r := w.do("status").wantCode(t, exit.OK)
	wantText(t, "status", r.stdout, "lock           held by process "+pid+" (")
	r = w.do("check").wantCode(t, exit.OK)
	wantNoText(t, "check", r.stdout, "locked")

	w.pass(2 * time.Hour)
	r = w.do("run").wantCode(t, exit.Busy)
	wantText(t, "standard error", r.stderr, "central_listener.lock has been locked for more than an hour, by process "+pid+" (",
		"nothing is sent until that process ends")
	r = w.do("check").wantCode(t, exit.OK)
	wantText(t, "check", r.stdout, "warn state: ", "central_listener.lock has been locked for more than an hour, by process "+pid+" (",
		"nothing is sent until that process ends")
	r = w.do("status", "--check", "--warning-age", "3h", "--critical-age", "4h").wantCode(t, pluginWarning)
	wantText(t, "status --check", r.stdout, "has held the lock for 2h")
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

// Whoever can open the spool can lock it, and must not stop deliveries by that.
func TestAStrangersLockOnTheSpoolStopsNothing(t *testing.T) {
	w, _ := newServiceWorld(t)
	w.putAs(nobody, "a.json", `{}`)
	const stranger = "12345"
	cmd := exec.Command(need.Program(t, "setpriv", "util-linux"), "--reuid", stranger, "--regid", stranger, "--clear-groups",
		"flock", "-s", w.spool, "sh", "-c", "echo locked; cat")
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the stranger has no lock: %q, %v", line, err)
	}
	w.do("check").wantCode(t, exit.OK)
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	if left := w.left(); len(left) != 0 {
		t.Errorf("the spool holds %q", left)
	}
}

// A process counts by all of its ids: a stranger who starts a setuid program is root by one only.
func TestALockOnTheSpoolCountsOnlyFromThoseWhoMaySend(t *testing.T) {
	for _, c := range []struct {
		name string
		uids []int
		want bool
	}{
		{"root", []int{0, 0, 0, 0}, true},
		{"the owner of the spool", []int{33, 33, 33, 33}, true},
		{"the owner, in a setuid program", []int{33, 0, 0, 0}, true},
		{"a stranger", []int{12345, 12345, 12345, 12345}, false},
		{"a stranger in a setuid program", []int{12345, 0, 0, 0}, false},
		{"nobody knows who", nil, false},
	} {
		if got := isTrusted(holder.Process{UIDs: c.uids}, 33, 33); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
