package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// newServiceWorld is a world in which spool and state belong to a directory of nobody's, and root
// runs the real program, which alone can become another user.
func newServiceWorld(t *testing.T) (w *world, dir string) {
	t.Helper()
	need.Root(t, "become another user")
	w, dir = newWorld(t), ofNobody(t)
	w.spool, w.state = dir+"/spool", dir+"/state"
	w.env.Environ = []string{"NO_PROXY=*"}
	w.program = filepath.Join(buildCommands(t), "spoolfwd")
	return w, dir
}

// putAs spools a payload file of a user's.
func (w *world) putAs(uid int, name, content string) {
	w.t.Helper()
	w.put(name, content)
	if err := os.Chown(filepath.Join(w.spool, name), uid, uid); err != nil {
		w.t.Fatal(err)
	}
}

// credentials returns the ids of a process, as /proc/PID/status has them.
func credentials(t *testing.T, pid int) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Error(err)
	}
	var found []string
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if slices.Contains([]string{"Uid:", "Gid:", "Groups:", "CapEff:", "CapPrm:"}, fields[0]) {
			found = append(found, strings.Join(fields, " "))
		}
	}
	return strings.Join(found, "\n")
}

func TestARunThatRootStartsIsTheSpoolsOwnersInEveryRespect(t *testing.T) {
	w, dir := newServiceWorld(t)
	const uid, gid = 12345, 23456 // not in the user database
	for _, d := range []string{dir, w.spool} {
		if err := os.Chown(d, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	w.putAs(uid, "a.json", `{}`)
	var got string
	w.onRequest = func() { got = credentials(t, w.pid) }
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	want := "Uid: 12345 12345 12345 12345\nGid: 23456 23456 23456 23456\nGroups:\nCapPrm: 0000000000000000\nCapEff: 0000000000000000"
	if got != want {
		t.Errorf("while it sends, the run has\n%s\nwant\n%s", got, want)
	}
	wantAllOf(t, uid, dir)
}

func TestTheGroupsAreThoseOfTheUserDatabase(t *testing.T) {
	w, _ := newServiceWorld(t)
	w.putAs(nobody, "a.json", `{}`)
	database := t.TempDir()
	for name, content := range map[string]string{
		"passwd": "root:x:0:0::/:/bin/sh\nservice:x:65534:300::/:/bin/sh\n",
		"group":  "root:x:0:\nservice:x:300:\npayloads:x:301:service,other\nothers:x:302:other\n",
	} {
		if err := os.WriteFile(filepath.Join(database, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	unshare := need.Program(t, "unshare", "util-linux")
	if out, err := exec.Command(unshare, "--mount", "true").CombinedOutput(); err != nil {
		need.Refused(t, "no mount namespace can be made here: %s", out) // in a chroot
	}
	w.wrapper = []string{unshare, "--mount", "sh", "-c",
		"mount --bind " + database + "/passwd /etc/passwd && mount --bind " + database + `/group /etc/group && exec "$0" "$@"`}
	var got string
	w.onRequest = func() { got = credentials(t, w.pid) }
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	wantText(t, "/proc", got, "Uid: 65534 65534 65534 65534\nGid: 300 300 300 300\nGroups: 300 301\n")
}

// Root may run commands by hand on a machine where the service has never run. Root then leaves
// nothing that the service cannot use.
func TestTheServiceCanUseWhatRootsCommandsHaveMade(t *testing.T) {
	for _, first := range []string{"flush", "breaker trip"} {
		t.Run(first, func(t *testing.T) {
			w, dir := newServiceWorld(t)
			w.putAs(nobody, "a.json", `[1,2]`)
			w.putAs(nobody, "bad.json", `no json`)
			w.answer(http.StatusInternalServerError) // there is a failure to save
			w.do(first)
			w.do("breaker reset").wantCode(t, exit.OK)
			r := w.do("flush", "--metrics-file", w.state+"/x.prom")
			wantText(t, "standard output", r.stdout, "2 failed")
			w.do("rejected retry", "--all").wantCode(t, exit.OK)
			w.do("flush")
			w.env.Stdin = strings.NewReader(`{}`)
			w.run("put", "--spool", w.spool).wantCode(t, exit.OK)
			w.do("breaker trip").wantCode(t, exit.OK)
			wantAllOf(t, nobody, dir)
		})
	}
}

// A rejected/ that is not the user's own is not used.
func TestRootsShellCompletesRejectedPayloadsOfTheServicesSpool(t *testing.T) {
	w, _ := newServiceWorld(t)
	w.putAs(nobody, "bad.json", `no json`)
	w.do("run").wantCode(t, exit.Rejected)
	r := w.run("completion", "bash", "--", "rejected", "show", "--spool", w.spool, "b").wantCode(t, exit.OK)
	if r.stdout != "bad.json\n" {
		t.Errorf("it offers %q, want the rejected payload", r.stdout)
	}
}

func TestRootRefusesDirectoriesThatTheOwnerOfTheSpoolCannotUse(t *testing.T) {
	const third = 4242
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, w *world)
		flags   []string
		says    []string
	}{
		{"a state directory of root's", func(t *testing.T, w *world) { makeDir(t, w.state, 0) }, nil,
			[]string{"cannot use the state directory", "permission denied", "chown "}},
		{"a state directory of a third user's", func(t *testing.T, w *world) { makeDir(t, w.state, third) }, nil,
			[]string{"state belongs to uid 4242, and the spool to ", "chown "}},
		{"no state directory, in one of a third user's", func(t *testing.T, w *world) {
			makeDir(t, filepath.Dir(w.spool)+"/theirs", third)
			w.state = filepath.Dir(w.spool) + "/theirs/state"
		}, nil, []string{"theirs belongs to uid 4242", "chown "}},
		{"a directory of the metrics file of a third user's", func(t *testing.T, w *world) { makeDir(t, filepath.Dir(w.spool)+"/metrics", third) },
			[]string{"--metrics-file", "metrics/x.prom"}, []string{"metrics belongs to uid 4242", "--metrics-file"}},
		{"a state directory of another user's beside a spool of root's", func(t *testing.T, w *world) {
			if err := errors.Join(os.Chown(w.spool, 0, 0), os.Chown(filepath.Dir(w.spool), 0, 0)); err != nil {
				t.Fatal(err)
			}
			makeDir(t, w.state, third)
		}, nil, []string{"state belongs to uid 4242, and the spool to root", "chown root "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, dir := newServiceWorld(t)
			w.putAs(nobody, "a.json", `{}`)
			c.prepare(t, w)
			if len(c.flags) > 0 {
				c.flags = []string{c.flags[0], dir + "/" + c.flags[1]}
			}
			r := w.do("run", append(c.flags, "--host-id", "a")...).wantCode(t, exit.Config)
			wantText(t, "standard error", r.stderr, c.says...)
			if len(w.received()) != 0 || len(namesIn(t, w.state)) != 0 {
				t.Errorf("a payload was sent, or something was made: %q", namesIn(t, w.state))
			}
			if len(c.flags) == 0 {
				r = w.do("check").wantCode(t, exit.Config)
				wantText(t, "check", r.stdout, append(c.says, "fail user: ")...)
			}
		})
	}
}

func TestCheckSaysAsWhomARunWorks(t *testing.T) {
	w, dir := newServiceWorld(t)
	r := w.do("check").wantCode(t, exit.OK)
	wantText(t, "check", r.stdout, "ok   user: root becomes "+accountOf(nobody, 0).name+", who owns "+w.spool)
	if err := errors.Join(os.Chown(w.spool, 0, 0), os.Chown(dir, 0, 0)); err != nil {
		t.Fatal(err)
	}
	makeDir(t, w.state, 0)
	r = w.do("check").wantCode(t, exit.OK)
	wantText(t, "check", r.stdout, "ok   user: root\n")
}

func TestRootThatMayNotBecomeTheOwnerDoesNothing(t *testing.T) {
	w, _ := newServiceWorld(t)
	w.putAs(nobody, "a.json", `{}`)
	w.program = "" // in this process
	w.env.Become = func(int, int, []int) error { return syscall.EPERM }
	before := w.snapshot()
	for _, command := range []string{"run", "flush", "status", "breaker trip", "rejected list"} {
		r := w.do(command).wantCode(t, exit.Permission)
		wantText(t, command, r.stderr, "root cannot become that user: operation not permitted", "start it as ")
	}
	r := w.do("check").wantCode(t, exit.Permission)
	wantText(t, "check", r.stdout, "fail user: ", "root cannot become that user", "fail spool: ")
	if w.snapshot() != before || len(w.received()) != 0 {
		t.Error("something was changed or sent")
	}
}

// ofNobody makes a directory that is nobody's with an empty spool in it.
func ofNobody(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "spoolfwd-service")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	makeDir(t, dir+"/spool", nobody)
	return dir
}

func makeDir(t *testing.T, path string, uid int) {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, uid, uid); err != nil {
		t.Fatal(err)
	}
}

// wantAllOf fails for everything in a directory that belongs to another user.
func wantAllOf(t *testing.T, uid int, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if got := int(info.Sys().(*syscall.Stat_t).Uid); got != uid {
			t.Errorf("%s belongs to uid %d, not %d", path, got, uid)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
