package breaker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// listing is all that a write would change: the entries of a directory with their inodes, modes and
// times.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	mustDo(t, "WalkDir", filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&all, "%s %v %d %v %d\n", path, info.Mode(), info.Size(), info.ModTime(), info.Sys().(*syscall.Stat_t).Ino)
		return nil
	}))
	return all.String()
}

func TestARunThatChangesNothingWritesNothing(t *testing.T) {
	for _, test := range []struct{ name, file string }{
		{"absent file", ""},
		{"closed", `{"state":"closed","failure_count":0,"last_failure_time":1763848000.5,"opened_at":0}`},
		{"closed by a program that leaves the times", `{"state":"closed","failure_count":0,"opened_at":1763848000.5,"not_before":1763849000}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{StateDir: t.TempDir()}
			if test.file != "" {
				c = stateFile(t, test.file)
			}
			old := start.Add(-year)
			mustDo(t, "Chtimes", os.Chtimes(c.StateDir, old, old))
			before := listing(t, c.StateDir)
			b := open(t, c, start)
			for range 100 {
				wantAvailable(t, b, start, true)
				mustDo(t, "RecordSuccess", b.RecordSuccess(start))
			}
			mustDo(t, "Save", b.Save())
			if after := listing(t, c.StateDir); after != before {
				t.Errorf("the directory was\n%sand is\n%s", before, after)
			}
		})
	}
	t.Run("absent directory", func(t *testing.T) {
		c := Config{StateDir: filepath.Join(t.TempDir(), "a", "b")}
		b := open(t, c, start)
		mustDo(t, "RecordSuccess", b.RecordSuccess(start))
		mustDo(t, "Save", b.Save())
		if _, err := os.Lstat(filepath.Dir(c.StateDir)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the state directory was created: %v", err)
		}
	})
}

func TestASuccessResetsTheFailureCountOnDiskOnlyWithSave(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	b := open(t, c, start)
	failTimes(t, b, 2, start)
	before := listing(t, c.StateDir)
	mustDo(t, "RecordSuccess", b.RecordSuccess(start))
	if after := listing(t, c.StateDir); after != before {
		t.Errorf("a success wrote: the directory was\n%sand is\n%s", before, after)
	}
	mustDo(t, "Save", b.Save())
	if got := open(t, c, start).Stats(start).FailureCount; got != 0 {
		t.Errorf("after Save the file counts %d failures", got)
	}
	before = listing(t, c.StateDir)
	mustDo(t, "Save", b.Save())
	if after := listing(t, c.StateDir); after != before {
		t.Errorf("a second Save wrote: the directory was\n%sand is\n%s", before, after)
	}
}

func TestTheFirstSaveCreatesDirectoryAndFile(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	c := Config{StateDir: filepath.Join(t.TempDir(), "a", "b")}
	b := open(t, c, start)
	failTimes(t, b, 1, start)
	for path, want := range map[string]fs.FileMode{b.StatePath(): 0o644, c.StateDir: fs.ModeDir | 0o750} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

// PHP's tempnam makes files of mode 0600, and monitoring is another user.
func TestEverybodyMayReadTheStateFileWhateverItsModeWas(t *testing.T) {
	for _, step := range []struct {
		name string
		do   func(Config)
	}{
		{"a run that changes nothing", func(c Config) { mustDo(t, "Save", open(t, c, start).Save()) }},
		{"a run that saves", func(c Config) { failTimes(t, open(t, c, start), 1, start) }},
	} {
		for _, was := range []fs.FileMode{0o600, 0o640, 0o666} {
			c := stateFile(t, `{"state":"closed","failure_count":0}`)
			path := filepath.Join(c.StateDir, "central_listener.state")
			mustDo(t, "Chmod", os.Chmod(path, was))
			step.do(c)
			if info, err := os.Lstat(path); err != nil || info.Mode() != 0o644 {
				t.Errorf("after %s the mode %v became %v, %v", step.name, was, info.Mode(), err)
			}
		}
	}
}

func TestALookAtTheStateFileLeavesItsMode(t *testing.T) {
	b := newBreaker(t, stateFile(t, `{"state":"open"}`))
	mustDo(t, "Chmod", os.Chmod(b.StatePath(), 0o600))
	mustDo(t, "Peek", b.Peek(start))
	if info, err := os.Lstat(b.StatePath()); err != nil || info.Mode() != 0o600 {
		t.Errorf("the mode became %v, %v", info.Mode(), err)
	}
}

// Whoever else may write to the directory must not be able to turn the change of mode onto another
// file of the user's.
func TestAStateFileWithASecondNameKeepsItsMode(t *testing.T) {
	c := stateFile(t, `{"state":"closed"}`)
	private := filepath.Join(t.TempDir(), "private")
	mustDo(t, "Chmod", os.Chmod(filepath.Join(c.StateDir, "central_listener.state"), 0o600))
	mustDo(t, "Link", os.Link(filepath.Join(c.StateDir, "central_listener.state"), private))
	mustDo(t, "Save", open(t, c, start).Save())
	if info, err := os.Lstat(private); err != nil || info.Mode() != 0o600 {
		t.Errorf("the mode became %v, %v", info.Mode(), err)
	}
}

func TestTheStateDirectoryMayBeRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{".", "state", "a/../a"} {
		c := Config{StateDir: dir}
		failTimes(t, open(t, c, start), 5, start)
		leftover := newBreaker(t, c).StatePath() + "1"
		mustDo(t, "WriteFile", os.WriteFile(leftover, nil, 0o600))
		wantState(t, open(t, c, start), Open)
		if _, err := os.Lstat(leftover); err == nil {
			t.Errorf("state directory %q: %s is left", dir, leftover)
		}
	}
}

func TestAStateDirectoryThatIsAFileIsAWarningAndASaveError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	mustDo(t, "WriteFile", os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		b := newBreaker(t, Config{StateDir: dir})
		if anomaly := anomalyOf(t, b.Open(start)); !errors.Is(anomaly, syscall.ENOTDIR) || anomaly.KeptAs != "" {
			t.Errorf("the warning is %v, want %v", anomaly, syscall.ENOTDIR)
		}
		wantAvailable(t, b, start, true)
		err := b.RecordFailure(start, 0)
		if !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), b.StatePath()) {
			t.Errorf("the error is %v, want one that names the file and is %q", err, syscall.ENOTDIR)
		}
	}
}

// The file counts as it is now, also for a Breaker that loaded another content before.
func TestAStateThatAnotherProgramWroteBetweenRunsCounts(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	b := open(t, c, start)
	failTimes(t, b, 5, start)
	mustDo(t, "WriteFile", os.WriteFile(b.StatePath(), []byte(`{"state":"closed","failure_count":4,"owner":"php"}`), 0o600))
	mustDo(t, "Open", b.Open(start))
	wantState(t, b, Closed)
	later := start.Add(time.Second)
	failTimes(t, b, 1, later)
	wantState(t, b, Open)
	if got := readState(t, b); !strings.Contains(got, `"owner":"php"`) {
		t.Errorf("the other program's key is lost: %s", got)
	}
	mustDo(t, "Remove", os.Remove(b.StatePath()))
	mustDo(t, "Open", b.Open(later))
	wantState(t, b, Closed)
	failTimes(t, b, 1, later)
	if got := readState(t, b); strings.Contains(got, "owner") {
		t.Errorf("the key of a file that is gone came back: %s", got)
	}
}
