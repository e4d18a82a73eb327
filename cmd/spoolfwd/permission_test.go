package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// nobody is the number of a user without rights. Any number but 0 would do.
const nobody = 65534

// Nothing is ever denied to root, so a test that runs as root runs again as nobody.
func TestMissingPermissionsAreNamedAndLoseNothing(t *testing.T) {
	if os.Geteuid() == 0 {
		again(t, "^TestMissingPermissionsAreNamedAndLoseNothing$")
		return
	}
	t.Run("spool without write permission", func(t *testing.T) {
		w := newWorld(t)
		w.put("a.json", `{}`)
		chmod(t, w.spool, 0o555)
		r := w.do("run").wantCode(t, exit.Permission)
		wantText(t, "standard error", r.stderr, w.spool)
		if len(w.received()) != 0 {
			t.Error("payloads that cannot be removed were sent")
		}
		w.env.Stdin = strings.NewReader(`{}`)
		w.run("put", "--spool", w.spool).wantCode(t, exit.Permission)
		r = w.do("check").wantCode(t, exit.Permission)
		wantText(t, "check", r.stdout, "fail spool: payload files cannot be removed")
	})
	// A script does the same with chattr +i, which not every machine has: here the directory is
	// closed between the preflight and the removal.
	t.Run("spool that becomes unwritable while a payload is sent", func(t *testing.T) {
		w := newWorld(t)
		w.put("a.json", `{}`)
		w.put("b.json", `{}`)
		w.onRequest = func() { chmod(t, w.spool, 0o555) }
		r := w.do("run", "--concurrency", "1").wantCode(t, exit.Permission)
		wantText(t, "standard error", r.stderr, "a.json: remove: permission denied", "will not be sent again")
		w.onRequest = nil
		w.do("run").wantCode(t, exit.Permission)
		if got := w.received(); len(got) != 1 {
			t.Errorf("%d requests were made, want one, before the fault was known", len(got))
		}
		chmod(t, w.spool, 0o755)
		wantText(t, "standard error", w.do("run").wantCode(t, exit.OK).stderr, "deliveries are back")
		if got, left := w.received(), w.left(); len(got) != 1 || len(left) != 0 {
			t.Errorf("%d requests were made, want one for the other file; left %q", len(got), left)
		}
	})
	t.Run("spool without read permission", func(t *testing.T) {
		w := newWorld(t)
		chmod(t, w.spool, 0o300)
		for _, command := range []string{"run", "status", "check", "rejected list"} {
			w.do(command).wantCode(t, exit.Permission)
		}
	})
	t.Run("payload file without read permission", func(t *testing.T) {
		w := newWorld(t)
		w.put("a.json", `{}`)
		w.put("b.json", `{}`)
		chmod(t, filepath.Join(w.spool, "a.json"), 0)
		r := w.do("run").wantCode(t, exit.Permission)
		wantText(t, "standard error", r.stderr, "a.json", "cannot be read", "it runs as", "a.json belongs to", "with mode 0000")
		if got, left := w.received(), w.left(); len(got) != 1 || len(left) != 1 {
			t.Errorf("sent %q, left %q: the other file should be sent", got, left)
		}
		r = w.do("check").wantCode(t, exit.Permission)
		wantText(t, "check", r.stdout, "fail spool: cannot read a payload file", "a.json")
	})
	t.Run("state directory without write permission", func(t *testing.T) {
		w := newWorld(t)
		w.put("a.json", `{}`)
		if err := os.Mkdir(w.state, 0o555); err != nil {
			t.Fatal(err)
		}
		r := w.do("run").wantCode(t, exit.Permission)
		wantText(t, "standard error", r.stderr, w.state)
		w.do("status").wantCode(t, exit.OK)
		r = w.do("check").wantCode(t, exit.Permission)
		wantText(t, "check", r.stdout, "fail state: the state cannot be saved")
	})
	t.Run("state directory that cannot be made", func(t *testing.T) {
		w := newWorld(t)
		chmod(t, filepath.Dir(w.state), 0o555)
		w.do("run").wantCode(t, exit.Permission)
		r := w.do("check").wantCode(t, exit.Permission)
		wantText(t, "check", r.stdout, "does not exist and cannot be made")
	})
	t.Run("configuration and token without read permission", func(t *testing.T) {
		w := newWorld(t)
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0); err != nil {
			t.Fatal(err)
		}
		for _, flag := range []string{"--config", "--token-file"} {
			r := w.do("run", flag, file).wantCode(t, exit.Permission)
			wantText(t, flag, r.stderr, file)
		}
	})
	t.Run("files of other users", func(t *testing.T) {
		me := accountOf(os.Geteuid(), 0).name
		r := newWorld(t).do("run", "--token-file", "/etc/shadow").wantCode(t, exit.Permission)
		wantText(t, "standard error", r.stderr, "it runs as "+me+", and /etc/shadow belongs to root with mode 0", ": run it as root")
		dir := t.TempDir()
		chmod(t, dir, 0)
		r = newWorld(t).do("run", "--token-file", filepath.Join(dir, "token")).wantCode(t, exit.Permission)
		closed := "it runs as " + me + ", and " + dir + " belongs to " + me + " with mode 0000: check its mode"
		wantText(t, "standard error", r.stderr, closed)
		r = newWorld(t).do("run", "--state-dir", dir).wantCode(t, exit.Permission)
		wantText(t, "standard error", r.stderr, closed)
		r = newWorld(t).do("run", "--state-dir", "/usr").wantCode(t, exit.Permission)
		wantText(t, "standard error", r.stderr, "it runs as "+me+", and /usr belongs to root with mode ", ": chown "+accountOf(os.Geteuid(), 0).word()+" /usr")
	})
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(path, 0o700) }) // for the removal of the directory
}

// again runs one test of this binary as nobody, in directories of nobody's own.
func again(t *testing.T, test string, environ ...string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "spoolfwd-nobody")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(dir+"/tmp", 0o755), os.Chown(dir+"/tmp", nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test")
	if err := copyFile(self, binary); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run", test, "-test.v")
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "TMPDIR="+dir+"/tmp"), environ...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		need.Refused(t, "root in here may not become another user, so that nothing can be denied: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+strings.Trim(test, "^$")) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
