package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// Files in an append-only directory can be linked from it but not removed.
func TestAMoveByHardLinkThatCannotRemoveTheOldNameIsUndone(t *testing.T) {
	path, dir, sub := openTestDir(t)
	if err := os.WriteFile(filepath.Join(path, "a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const appendOnly = 0x20 // FS_APPEND_FL of linux/fs.h
	flags, err := unix.IoctlGetInt(dir, unix.FS_IOC_GETFLAGS)
	if err == nil {
		err = unix.IoctlSetPointerInt(dir, unix.FS_IOC_SETFLAGS, flags|appendOnly)
	}
	if err != nil {
		need.Refused(t, "no append-only directories here: %v", err)
	}
	defer unix.IoctlSetPointerInt(dir, unix.FS_IOC_SETFLAGS, flags)
	if err := linkNew(dir, "a", sub, "a"); !errors.Is(err, unix.EPERM) {
		t.Errorf("the move out of an append-only directory: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(path, "a")); err != nil {
		t.Errorf("the old name is gone: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(path, "sub", "a")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the new name is there: %v", err)
	}
}

// getdents64 returns what fits into its buffer; nothing may be lost or come twice where one
// bufferful ends and the next begins.
func TestLargeDirectoriesAreReadWhole(t *testing.T) {
	path, dir, _ := openTestDir(t)
	want := map[string]bool{"sub": true}
	for i := range 1200 { // some 300 KiB of entries
		name := fmt.Sprintf("%0*d", 200+i%50, i)
		want[name] = true
		if err := os.WriteFile(filepath.Join(path, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := readDir(dir, func(name []byte, _ uint8) error {
		if !want[string(name)] {
			t.Errorf("%q came twice or from nowhere", name)
		}
		delete(want, string(name))
		return nil
	})
	if err != nil || len(want) != 0 {
		t.Errorf("%d names are missing, %v", len(want), err)
	}
	stop := errors.New("stop")
	calls := 0
	if err := readDir(dir, func([]byte, uint8) error { calls++; return stop }); err != stop || calls != 1 {
		t.Errorf("stopped after %d calls with %v", calls, err)
	}
}
