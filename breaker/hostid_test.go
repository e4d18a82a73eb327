package breaker

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func mustHostID(t *testing.T, dir string) string {
	t.Helper()
	id, err := KeepHostID(dir)
	mustDo(t, "KeepHostID", err)
	return id
}

func TestAHostIDIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if id := PeekHostID(dir); id != "" {
		t.Errorf("before there is one, the host id is %q", id)
	}
	if _, err := os.Lstat(dir); !os.IsNotExist(err) {
		t.Errorf("PeekHostID made something: %v", err)
	}
	id := mustHostID(t, dir)
	if !regexp.MustCompile("^[0-9a-f]{32}$").MatchString(id) {
		t.Errorf("the host id is %q, want 32 hexadecimal digits", id)
	}
	if again, peeked := mustHostID(t, dir), PeekHostID(dir); again != id || peeked != id {
		t.Errorf("the host id was %s, then %s, and is peeked as %s", id, again, peeked)
	}
	if other := mustHostID(t, t.TempDir()); other == id {
		t.Error("two hosts have the same id")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v, want the host id alone", entries, err)
	}
}

// Earlier versions made idempotency keys with the host name where there was no machine id. A
// listener that remembers keys must recognise the items that such a host sends again.
func TestAHostThatHasRunBeforeKeepsItsNameAsIdentity(t *testing.T) {
	name, err := os.Hostname()
	mustDo(t, "Hostname", err)
	dir := t.TempDir()
	mustDo(t, "WriteFile", os.WriteFile(filepath.Join(dir, "central_listener.lock"), nil, 0o600))
	if id := mustHostID(t, dir); id != name {
		t.Errorf("the host id is %q, want the host name %q", id, name)
	}
	if kept := PeekHostID(dir); kept != name {
		t.Errorf("the host id that is kept is %q, want %q, so that it does not change with the host name", kept, name)
	}
}

func TestAHostIDThatAPersonWroteIsKept(t *testing.T) {
	dir := t.TempDir()
	mustDo(t, "WriteFile", os.WriteFile(filepath.Join(dir, "host-id"), []byte("  web-1\n"), 0o600))
	if id := mustHostID(t, dir); id != "web-1" {
		t.Errorf("the host id is %q", id)
	}
}

func TestAFileWithoutAHostIDIsSetAside(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"empty":              func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"two lines":          func(path string) error { return os.WriteFile(path, []byte("a\nb\n"), 0o600) },
		"NUL-filled":         func(path string) error { return os.WriteFile(path, []byte("\x00\x00\x00"), 0o600) },
		"too large":          func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("a", 1000)), 0o600) },
		"a symbolic link":    func(path string) error { return os.Symlink("/etc/passwd", path) },
		"a link to no file":  func(path string) error { return os.Symlink("nowhere", path) },
		"an empty directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "host-id")
			mustDo(t, name, make(path))
			if id := PeekHostID(filepath.Dir(path)); id != "" {
				t.Errorf("it is peeked at as %q", id)
			}
			id := mustHostID(t, filepath.Dir(path))
			if len(id) != 32 || mustHostID(t, filepath.Dir(path)) != id {
				t.Errorf("the host id is %q", id)
			}
			if _, err := os.Lstat(path + ".corrupt"); err != nil {
				t.Errorf("what was there is not kept: %v", err)
			}
		})
	}
}

// Only a run that finds an identity removes them: before, a call may still be writing one.
func TestARunRemovesWhatKilledWritesOfTheHostIDLeft(t *testing.T) {
	dir := t.TempDir()
	leftover := filepath.Join(dir, "host-id4083729382")
	mustDo(t, "WriteFile", os.WriteFile(leftover, []byte("0123"), 0o600))
	b, err := New(Config{StateDir: dir})
	mustDo(t, "New", err)
	mustDo(t, "Open", b.Open(time.Now()))
	if _, err := os.Lstat(leftover); err != nil {
		t.Errorf("without an identity, the temporary file is removed: %v", err)
	}
	id := mustHostID(t, dir)
	mustDo(t, "WriteFile", os.WriteFile(filepath.Join(dir, "host-id.corrupt"), nil, 0o600))
	mustDo(t, "Open", b.Open(time.Now()))
	if _, err := os.Lstat(leftover); !os.IsNotExist(err) {
		t.Errorf("with an identity, the temporary file stays: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "host-id.corrupt")); err != nil || PeekHostID(dir) != id {
		t.Errorf("the identity is %q, want %q, and what was set aside stays: %v", PeekHostID(dir), id, err)
	}
}

func TestManyFirstRunsAtOnceAgreeOnTheHostID(t *testing.T) {
	for range 50 {
		firstRunsAgree(t, t.TempDir())
	}
}

func TestFirstRunsAgreeOnTheHostIDWhileAnotherSweeps(t *testing.T) {
	for range 50 {
		dir := t.TempDir()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 200 {
				sweepHostID(dir)
			}
		}()
		firstRunsAgree(t, dir)
		<-done
	}
}

// firstRunsAgree lets many runs at once be the first in a state directory.
func firstRunsAgree(t *testing.T, dir string) {
	t.Helper()
	const runs = 8
	ids := make(chan string, runs)
	for range runs {
		go func() {
			id, err := KeepHostID(dir)
			if err != nil {
				t.Errorf("KeepHostID: %v", err)
			}
			ids <- id
		}()
	}
	first := <-ids
	for range runs - 1 {
		if id := <-ids; id != first {
			t.Errorf("one run has host id %s, another %s", first, id)
		}
	}
}

func TestAHostIDThatCannotBeKeptIsAnError(t *testing.T) {
	dir := t.TempDir()
	makeUnwritable(t, dir)
	if id, err := KeepHostID(dir); id != "" || err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "host-id")) {
		t.Errorf("the host id is %q, %v, want an error that names the file", id, err)
	}
}

func TestAHostIDIsPrintable(t *testing.T) {
	for id, want := range map[string]bool{"web-1": true, strings.Repeat("x", 128): true, "": false, "a b": false, "a\x00": false, "é": false, strings.Repeat("x", 129): false} {
		if got := CheckHostID(id) == nil; got != want {
			t.Errorf("%q is a host id: %v, want %v", id, got, want)
		}
	}
}

func TestTheMachineIDIsPreferred(t *testing.T) {
	dir := t.TempDir()
	id, err := HostID(dir)
	mustDo(t, "HostID", err)
	if machine := MachineID(); machine != "" && (id != machine || PeekHostID(dir) != "") {
		t.Errorf("the host id is %q, and %q is kept, although the machine id is %q", id, PeekHostID(dir), machine)
	} else if machine == "" && id != PeekHostID(dir) {
		t.Errorf("the host id is %q, and %q is kept", id, PeekHostID(dir))
	}
}
