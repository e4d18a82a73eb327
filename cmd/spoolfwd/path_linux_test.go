package main

import (
	"errors"

	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// Whoever can replace a directory or a link on the path of the spool could let root send, and then
// delete, files of root's or of any user's.
func TestAPathThatAThirdUserCanTurnLeadsNowhere(t *testing.T) {
	const third = 4242
	link := func(t *testing.T, target, at string, uid int) {
		if err := errors.Join(os.Symlink(target, at), os.Lchown(at, uid, uid)); err != nil {
			t.Fatal(err)
		}
	}
	open := func(t *testing.T, dir string, mode os.FileMode, uid, gid int) {
		if err := errors.Join(os.Chown(dir, uid, gid), os.Chmod(dir, mode)); err != nil {
			t.Fatal(err)
		}
	}
	// Each makes the path of a spool in dir. The payload files are in victim.
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir, victim string) (spool string)
		says string // "" when root may go there
	}{
		{"a link in a directory of another user's", func(t *testing.T, dir, victim string) string {
			open(t, dir, 0o755, third, third)
			link(t, victim, dir+"/spool", third)
			return dir + "/spool"
		}, "belongs to uid 4242, and the spool to root"},
		{"a link of another user's in a directory for everybody", func(t *testing.T, dir, victim string) string {
			open(t, dir, 0o777|os.ModeSticky, 0, 0)
			link(t, victim, dir+"/spool", third)
			return dir + "/spool"
		}, "spool belongs to uid 4242, and the spool to root"},
		{"a link to a directory of a third user's", func(t *testing.T, dir, victim string) string {
			open(t, dir, 0o755, third, third)
			open(t, victim, 0o755, nobody, nobody)
			link(t, victim, dir+"/spool", third)
			return dir + "/spool"
		}, "belongs to uid 4242, and the spool to " + accountOf(nobody, 0).name},
		{"a directory of root's that everybody may write to", func(t *testing.T, dir, victim string) string {
			open(t, dir, 0o777, 0, 0)
			return victim
		}, "may be written to by other users than root"},
		{"a directory of root's that a group may write to", func(t *testing.T, dir, victim string) string {
			open(t, dir, 0o775, 0, third)
			return victim
		}, "chmod go-w "},
		{"a link of root's to a directory below another user's", func(t *testing.T, dir, victim string) string {
			open(t, dir, 0o755, third, third)
			at := filepath.Join(t.TempDir(), "spool")
			link(t, victim, at, 0)
			return at
		}, "belongs to uid 4242, and the spool to root"},
		{"a link of root's", func(t *testing.T, dir, victim string) string {
			link(t, "../"+filepath.Base(dir)+"/./victim", dir+"/spool", 0)
			return dir + "/spool"
		}, ""},
		{"a directory for everybody, with a sticky bit", func(t *testing.T, dir, victim string) string {
			open(t, dir, 0o777|os.ModeSticky, 0, 0)
			return victim
		}, ""},
		{"directories of the spool's owner", func(t *testing.T, dir, victim string) string {
			open(t, dir, 0o775, nobody, nobody)
			open(t, victim, 0o755, nobody, nobody)
			return victim
		}, ""},
		{"a directory of root's for the group of the spool's owner", func(t *testing.T, dir, victim string) string {
			open(t, dir, 0o775, 0, accountOf(nobody, nobody).gid)
			open(t, victim, 0o755, nobody, nobody)
			return victim
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, dir := newServiceWorld(t)
			if err := errors.Join(os.Chown(dir, 0, 0), os.Remove(w.spool)); err != nil {
				t.Fatal(err)
			}
			victim := dir + "/victim"
			makeDir(t, victim, 0)
			w.spool = c.make(t, dir, victim)
			w.put("a.json", `{}`)
			owner := ownerOf(t, victim)
			w.state = filepath.Join(ofNobody(t), "state")
			makeDir(t, w.state, owner)
			if err := errors.Join(os.Chown(victim+"/a.json", owner, -1), os.Chown(filepath.Dir(w.state), 0, 0)); err != nil {
				t.Fatal(err)
			}
			if c.says == "" {
				w.do("run").wantCode(t, exit.OK).wantSilence(t)
				return
			}
			for _, args := range [][]string{{"run"}, {"run", "--dry-run"}, {"status"}, {"rejected list"}} {
				r := w.do(args[0], args[1:]...).wantCode(t, exit.Config)
				wantText(t, args[0], r.stderr, c.says)
			}
			r := w.do("check").wantCode(t, exit.Config)
			wantText(t, "check", r.stdout, c.says, "fail spool: not examined", "fail state: not examined")
			if _, err := os.Lstat(victim + "/a.json"); err != nil || len(w.received()) != 0 {
				t.Errorf("the payload was sent or removed: %v", err)
			}
		})
	}
}

// A command that only looks reads the state, and must not read it as root either.
func TestRootLooksAtNoStateOfAnotherUsers(t *testing.T) {
	w, dir := newServiceWorld(t)
	if err := errors.Join(os.Chown(w.spool, 0, 0), os.Chown(dir, 0, 0)); err != nil {
		t.Fatal(err)
	}
	makeDir(t, w.state, nobody)
	for _, args := range [][]string{{"status"}, {"run", "--dry-run"}, {"flush", "--dry-run"}} {
		r := w.do(args[0], args[1:]...).wantCode(t, exit.Config)
		wantText(t, args[0], r.stderr, "state belongs to "+accountOf(nobody, 0).name+", and the spool to root")
	}
	r := w.do("status", "--check").wantCode(t, pluginUnknown)
	wantText(t, "status --check", r.stdout, "UNKNOWN - state directory ")
	w.do("breaker show").wantCode(t, exit.OK) // works as the owner of the state
}

// A run whose metrics cannot be written delivers all the same.
func TestAMetricsFileThatTheOwnerOfTheSpoolCannotWriteIsExplained(t *testing.T) {
	w, dir := newServiceWorld(t)
	makeDir(t, dir+"/metrics", 0)
	file := dir + "/metrics/x.prom"
	w.putAs(nobody, "a.json", `{}`)
	mend := "chown " + accountOf(nobody, 0).word() + " " + dir + "/metrics"
	r := w.do("run", "--metrics-file", file).wantCode(t, exit.Permission)
	wantText(t, "standard error", r.stderr, "cannot write the metrics", "permission denied", mend)
	if got := len(w.received()); got != 1 {
		t.Errorf("%d payloads were sent", got)
	}
	w.env.Environ = append(w.env.Environ, "SPOOLFWD_METRICS_FILE="+file)
	r = w.do("check").wantCode(t, exit.Permission)
	wantText(t, "check", r.stdout, "fail user: ", "cannot make the metrics file "+file, mend)
}

// Root may have made the lock before spoolfwd worked as the owner of the spool.
func TestALockOfRootsIsExplainedToTheOwnerOfTheSpool(t *testing.T) {
	w, _ := newServiceWorld(t)
	makeDir(t, w.state, nobody)
	lock := filepath.Join(w.state, "central_listener.lock")
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.putAs(nobody, "a.json", `{}`)
	r := w.do("run").wantCode(t, exit.Permission)
	wantText(t, "standard error", r.stderr, "cannot take the lock", "permission denied", "chown "+accountOf(nobody, 0).word()+" "+lock)
}

// To run as root would not help: root becomes the owner of the spool.
func TestAPayloadFileOfRootsIsOneForItsProducerToMend(t *testing.T) {
	w, _ := newServiceWorld(t)
	makeDir(t, w.state, nobody)
	w.putAs(0, "a.json", `{}`)
	chmod(t, filepath.Join(w.spool, "a.json"), 0o600)
	r := w.do("run").wantCode(t, exit.Permission)
	wantText(t, "standard error", r.stderr, "a.json belongs to root with mode 0600: let its producer run as this user too")
}

func ownerOf(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}
