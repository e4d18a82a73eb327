package spool_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// tmpfs makes a small file system of its own.
func tmpfs(t *testing.T, options string) (dir string) {
	t.Helper()
	need.Root(t, "give files away and make file systems")
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		need.Refused(t, "a tmpfs cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes until the file system is full.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	must(t, err)
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

// Attributes of chattr(1), from linux/fs.h.
const (
	immutable  = 0x10
	appendOnly = 0x20
)

// chattr gives a file or directory an attribute, until the test ends.
func chattr(t *testing.T, path string, attribute int) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags|attribute)
	}
	if err != nil {
		f.Close()
		need.Refused(t, "this file system, or this user, has no such attribute: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags); err != nil {
			t.Error(err)
		}
		f.Close()
	})
}
