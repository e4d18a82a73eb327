package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
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
