package breaker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// brokenFiles are the broken contents of a state file, by name. They are files so that other tests
// can use them too.
func brokenFiles(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/broken/*.state")
	if err != nil || len(paths) < 20 {
		t.Fatalf("testdata/broken has %d files, %v", len(paths), err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".state")] = data
	}
	return files
}

// checkBroken says what a breaker must do about the thing at its state path, and then works with
// it.
func checkBroken(t *testing.T, c Config, cause string) {
	t.Helper()
	peeking := newBreaker(t, c)
	before, err := os.Lstat(peeking.StatePath())
	mustDo(t, "Lstat", err)
	peeked := anomalyOf(t, peeking.Peek(start))
	if after, err := os.Lstat(peeking.StatePath()); err != nil || !os.SameFile(before, after) || peeked.KeptAs != "" {
		t.Errorf("Peek moved the file: %v, %v", err, peeked)
	}

	b := newBreaker(t, c)
	anomaly := anomalyOf(t, b.Open(start))
	text := anomaly.Error()
	if !strings.Contains(text, b.StatePath()) || !strings.Contains(text, cause) || strings.ContainsAny(text, "\n\x1b") || len(text) > 400 {
		t.Errorf("the warning is %q, want one sentence with the path and %q", text, cause)
	}
	wantState(t, b, Closed)
	wantAvailable(t, b, start, true)
	if stats := b.Stats(start); stats.FailureCount != 0 || stats.OpenedAt != 0 {
		t.Errorf("the breaker began with %+v", stats)
	}
	if anomaly.KeptAs != b.StatePath()+".corrupt" {
		t.Fatalf("kept as %q (%v)", anomaly.KeptAs, anomaly.KeepError)
	}
	if kept, err := os.Lstat(anomaly.KeptAs); err != nil || !os.SameFile(before, kept) {
		t.Errorf("what is kept is not the bad file: %v", err)
	}
	failTimes(t, b, 5, start)
	wantState(t, open(t, c, start), Open)
}

func anomalyOf(t *testing.T, err error) *Anomaly {
	t.Helper()
	var anomaly *Anomaly
	if !errors.As(err, &anomaly) {
		t.Fatalf("the error is %v, want an Anomaly", err)
	}
	return anomaly
}

func TestABrokenStateFileIsAClosedBreakerAndOneWarning(t *testing.T) {
	for name, data := range brokenFiles(t) {
		t.Run(name, func(t *testing.T) { checkBroken(t, stateFile(t, string(data)), "") })
	}
}

func TestAnEntryThatIsNotARegularFileIsAClosedBreakerAndOneWarning(t *testing.T) {
	for _, test := range []struct {
		name, cause string
		make        func(path string) error
	}{
		{"symlink to a good file", "symbolic link", func(path string) error {
			target := path + ".elsewhere"
			if err := os.WriteFile(target, []byte(`{"state":"open","opened_at":1763848123}`), 0o600); err != nil {
				return err
			}
			return os.Symlink(target, path)
		}},
		{"dangling symlink", "symbolic link", func(path string) error { return os.Symlink("nowhere", path) }},
		{"symlink to itself", "symbolic link", func(path string) error { return os.Symlink(path, path) }},
		{"directory", "directory", func(path string) error { return os.Mkdir(path, 0o700) }},
		{"full directory", "directory", func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) }},
		{"FIFO", "FIFO", func(path string) error { return unix.Mkfifo(path, 0o600) }},
		{"socket", "socket", func(path string) error { return bindSocket(path) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{StateDir: t.TempDir()}
			mustDo(t, test.name, test.make(newBreaker(t, c).StatePath()))
			checkBroken(t, c, test.cause)
		})
	}
}

// bindSocket leaves a socket without a listener. Its path may be too long for a socket address, a
// relative one is not.
func bindSocket(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	defer os.Chdir(dir)
	if err := os.Chdir(filepath.Dir(path)); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Base(path)})
}
