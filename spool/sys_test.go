package spool

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// openTestDir opens a directory as Open does, and one below it.
func openTestDir(t *testing.T) (path string, dir, sub int) {
	t.Helper()
	path = t.TempDir()
	if err := os.Mkdir(filepath.Join(path, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, open := range []struct {
		fd   *int
		name string
	}{{&dir, path}, {&sub, filepath.Join(path, "sub")}} {
		fd, err := openDir(unix.AT_FDCWD, open.name, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		*open.fd = fd
	}
	return path, dir, sub
}

func TestMovingNeverReplaces(t *testing.T) {
	for name, move := range map[string]func(fromDir int, from string, toDir int, to string) error{
		"by rename":      renameNew,
		"by link":        linkNew,        // where there is no such rename
		"by reservation": renameReserved, // where there are no links either
	} {
		t.Run(name, func(t *testing.T) {
			path, dir, sub := openTestDir(t)
			for _, file := range []string{"a", "b", "sub/b"} {
				if err := os.WriteFile(filepath.Join(path, file), []byte(file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := move(dir, "a", sub, "a"); err != nil {
				t.Errorf("to a free name: %v", err)
			}
			if err := move(dir, "b", sub, "b"); !errors.Is(err, unix.EEXIST) {
				t.Errorf("to a name that is taken: %v", err)
			}
			if err := move(dir, "c", sub, "c"); !errors.Is(err, unix.ENOENT) {
				t.Errorf("a file that is gone: %v", err)
			}
			for file, want := range map[string]string{"sub/a": "a", "b": "b", "sub/b": "sub/b"} {
				if got, err := os.ReadFile(filepath.Join(path, file)); string(got) != want {
					t.Errorf("%s holds %q, %v", file, got, err)
				}
			}
			if _, err := os.Lstat(filepath.Join(path, "a")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the old name is still there: %v", err)
			}
		})
	}
}

func TestAnInterruptedCallIsRepeatedButNotForEver(t *testing.T) {
	calls := 0
	err := again(func() error {
		if calls++; calls < 5 {
			return unix.EINTR
		}
		return unix.ENOSPC
	})
	if calls != 5 || err != unix.ENOSPC {
		t.Errorf("%d calls, %v", calls, err)
	}
	calls = 0
	if err := again(func() error { calls++; return syscall.EINTR }); calls != 100 || !errors.Is(err, unix.EINTR) {
		t.Errorf("a call that is interrupted every time: %d calls, %v", calls, err)
	}
}
