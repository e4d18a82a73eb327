package drain_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// badIndexes are ways in which what lies where the index should be is none.
var badIndexes = map[string]func(path string) error{
	"empty":                     func(path string) error { return os.WriteFile(path, nil, 0o600) },
	"zeroes after a power cut":  func(path string) error { return os.WriteFile(path, make([]byte, 4096), 0o600) },
	"cut off":                   func(path string) error { return os.WriteFile(path, []byte(`{"version":1,"files":{"x`), 0o600) },
	"of another kind":           func(path string) error { return os.WriteFile(path, []byte(`[1]`), 0o600) },
	"of a later version":        func(path string) error { return os.WriteFile(path, []byte(`{"version":2,"files":{}}`), 0o600) },
	"larger than any index":     func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 65<<20)) },
	"a directory":               func(path string) error { return os.Mkdir(path, 0o700) },
	"a FIFO":                    func(path string) error { return syscall.Mkfifo(path, 0o600) },
	"a symbolic link":           func(path string) error { return os.Symlink("/etc/passwd", path) },
	"a symbolic link to itself": func(path string) error { return os.Symlink(filepath.Base(path), path) },
}

// A warning that comes back with every run, a mail every minute, would have nobody read the next
// one.
func TestADamagedIndexIsSetAsideAndToldOnce(t *testing.T) {
	for name, make := range badIndexes {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.index")
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			x, err := drain.OpenIndex(path)
			if err == nil || !strings.Contains(err.Error(), "it is kept as "+path+".corrupt") {
				t.Errorf("the error is %v, want one that says where the index is kept", err)
			}
			if x == nil || x.Deferred() != 0 {
				t.Errorf("the index is not an empty one: %+v", x)
			}
			if _, err := os.Lstat(path + ".corrupt"); err != nil {
				t.Errorf("the damaged index is not kept: %v", err)
			}
			if _, err := drain.OpenIndex(path); err != nil {
				t.Errorf("the next run hears of it again: %v", err)
			}
		})
	}
}

func TestPeekingAtAnIndexChangesNothing(t *testing.T) {
	for name, make := range badIndexes {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.index")
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := drain.PeekIndex(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("the error is %v, want one that names the file", err)
			}
			after, err := os.Lstat(path)
			if err != nil || !os.SameFile(before, after) {
				t.Errorf("the file is not what it was: %v", err)
			}
			if got := names(t, filepath.Dir(path)); len(got) > 1 {
				t.Errorf("something was created: %q", got)
			}
		})
	}
}
