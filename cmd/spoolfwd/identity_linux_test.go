package main

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// Every run of a container has another host name and no machine id. The runs' memory of an item,
// and the key by which the listener knows it, must not depend on either.
func TestRunsOfChangingContainersAreRunsOfOneHost(t *testing.T) {
	if runInContainer(t) {
		return
	}
	need.Root(t, "make containers")
	containers := []string{"pod-1", "pod-2", "pod-3"}

	t.Run("the key of an item stays", func(t *testing.T) {
		w := newWorld(t)
		w.put("a.json", `{"n":1}`)
		for i, container := range containers {
			w.answer(http.StatusInternalServerError)
			if i == len(containers)-1 {
				w.answer(http.StatusOK)
			}
			w.inContainer(container)
		}
		var keys []string
		for _, head := range w.heads {
			keys = append(keys, head.Get("Idempotency-Key"))
		}
		if len(keys) != 3 || keys[0] == "" || len(slices.Compact(keys)) != 1 {
			t.Errorf("the item was sent under the keys %q", keys)
		}
	})

	t.Run("a file that cannot be removed is sent once", func(t *testing.T) {
		w := newWorld(t)
		w.put("stuck.json", `{"n":1}`)
		path := filepath.Join(w.spool, "stuck.json")
		if err := need.SetImmutable(path, true); err != nil {
			need.Refused(t, "no file can be made undeletable here: %v", err)
		}
		defer need.SetImmutable(path, false)
		for _, container := range containers {
			w.inContainer(container)
		}
		if got := w.received(); len(got) != 1 {
			t.Errorf("it was sent %d times", len(got))
		}
	})

	t.Run("an item is rejected after its attempts", func(t *testing.T) {
		w := newWorld(t)
		w.put("bad.json", "[1]")
		w.statusOf = func(body string) int {
			if body == "1" {
				return http.StatusInternalServerError
			}
			return http.StatusOK
		}
		for _, container := range containers {
			w.put("good-"+container+".json", `{"good":1}`)
			w.inContainer(container, "SPOOLFWD_MAX_ATTEMPTS=2")
		}
		if left := strings.Join(w.left(), " "); left != "rejected" {
			t.Errorf("the spool holds %q, want the payload rejected", left)
		}
	})
}

// inContainer runs the program with a host name of its own and without a machine id.
func (w *world) inContainer(name string, environ ...string) {
	w.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRunsOfChangingContainersAreRunsOfOneHost$")
	// Unlike Cloneflags, these make the mounts private, and tell if that fails.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS | unix.CLONE_NEWUTS}
	cmd.Env = append(append(os.Environ(), environ...), "SPOOLFWD_TEST_CONTAINER="+name,
		"SPOOLFWD_TEST_SPOOL="+w.spool, "SPOOLFWD_TEST_STATE="+w.state, "SPOOLFWD_TEST_URL="+w.listener.URL)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) { // EINVAL: in a chroot
		need.Refused(w.t, "this root cannot make containers: %v", err)
	}
	if err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
}

// runInContainer is the other side of inContainer.
func runInContainer(t *testing.T) bool {
	name := os.Getenv("SPOOLFWD_TEST_CONTAINER")
	if name == "" {
		return false
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(unix.Sethostname([]byte(name)))
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if _, err := os.Stat(path); err == nil {
			must(unix.Mount("/dev/null", path, "", unix.MS_BIND, ""))
		}
	}
	if id := breaker.MachineID(); id != "" {
		t.Fatalf("the container has the machine id %q", id)
	}
	w := newWorld(t)
	w.spool, w.state, w.listener.URL = os.Getenv("SPOOLFWD_TEST_SPOOL"), os.Getenv("SPOOLFWD_TEST_STATE"), os.Getenv("SPOOLFWD_TEST_URL")
	w.env.MachineID = breaker.MachineID
	w.env.Environ = os.Environ()
	r := w.do("run")
	if r.code == exit.Usage || r.code == exit.Config {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	return true
}
