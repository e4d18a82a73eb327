package producers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func TestAFullDiskIsReportedAndLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, p producer) {
		dir := mount(t, 0, "size=64k")
		if p.put(t, dir, "normal") {
			t.Error("70 kB on a file system of 64 kB: the producer says that it spooled the value")
		}
		isEmpty(t, dir)
		if !p.put(t, dir, "small") {
			t.Error("a value that fits is spooled after one that did not, and this one is refused")
		}
		if got := p.payloads(t, dir); len(got) != 1 || string(got[0]) != `{"n":1}` {
			t.Errorf("the spool holds %q", got)
		}
	})
}

func TestAFileSystemWithoutInodesIsReported(t *testing.T) {
	each(t, func(t *testing.T, p producer) {
		dir := mount(t, 0, "size=1m,nr_inodes=1") // the root directory's own
		if p.put(t, dir, "small") {
			t.Error("the producer says that it spooled the value")
		}
		isEmpty(t, dir)
	})
}

func TestAnUnusableSpoolIsReported(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	spools := []struct {
		name string
		dir  func(*testing.T) string
	}{
		{"does not exist", func(t *testing.T) string { return filepath.Join(t.TempDir(), "none") }},
		{"is a file", func(*testing.T) string { return file }},
		{"is not writable", unwritable},
	}
	each(t, func(t *testing.T, p producer) {
		for _, spool := range spools {
			t.Run(spool.name, func(t *testing.T) {
				if p.put(t, spool.dir(t), "small") {
					t.Error("the producer says that it spooled the value")
				}
			})
		}
	})
	if info, err := os.Stat(file); err != nil || info.Size() != 0 {
		t.Errorf("the file in the spool's place was touched: %v %v", info, err)
	}
}

// unwritable makes a directory that refuses new files, to root as well.
func unwritable(t *testing.T) string {
	if os.Getuid() == 0 {
		return mount(t, syscall.MS_RDONLY, "size=64k")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mount makes a file system of its own for a test.
func mount(t *testing.T, flags uintptr, options string) string {
	t.Helper()
	need.Root(t, "mount a small file system")
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, "mode=0700,"+options); err != nil {
		need.Installed(t, fmt.Sprintf("a small file system cannot be mounted here: %v", err))
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}
