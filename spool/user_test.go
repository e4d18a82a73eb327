package spool_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// nobody is the uid that unprivileged parts of tests run under.
const nobody = 65534

// asNobody runs the part of a test that root's rights would spoil. Under root it runs the test once
// more in a process with another uid; prepare has made the directory ready before, and may give
// files to the uid. Without root it runs in this process, where prepare cannot give anything away.
func asNobody(t *testing.T, prepare, part func(t *testing.T, dir string)) {
	t.Helper()
	asUser(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}, prepare, part)
}

func asUser(t *testing.T, user *syscall.SysProcAttr, prepare, part func(t *testing.T, dir string)) {
	t.Helper()
	const handedDown = "SPOOL_TEST_DIR"
	if dir := os.Getenv(handedDown); dir != "" {
		part(t, dir)
		return
	}
	parent, err := os.MkdirTemp("", "spool")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "spool")
	t.Cleanup(func() { os.Chmod(dir, 0o755) }) // or it could not be removed
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	prepare(t, dir)
	if os.Geteuid() != 0 {
		part(t, dir)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" {
		// The binary may lie where the other uid cannot look for it; this link needs no search
		// permission.
		exe = "/proc/self/exe"
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), handedDown+"="+dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = user
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as uid %d: %v\n%s", nobody, err, out)
	}
}
