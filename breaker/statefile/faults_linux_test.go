package statefile

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// mountTmpfs makes a small file system of its own at dir.
func mountTmpfs(t *testing.T, dir, options string) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		need.Refused(t, "cannot mount a file system to test on, as user %d: %v", os.Geteuid(), err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
}

func TestAFullDiskLeavesTheOldContentAndNoTemporary(t *testing.T) {
	for name, options := range map[string]string{"no blocks": "size=64k", "no inodes": "nr_inodes=4"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mountTmpfs(t, dir, options)
			f := fileIn(dir)
			mustDo(t, "Write", f.Write([]byte("old")))
			for _, ballast := range []string{"ballast1", "ballast2"} {
				_ = os.WriteFile(filepath.Join(dir, ballast), make([]byte, 1<<20), 0o600)
			}
			if err := f.Write([]byte("new")); !errors.Is(err, unix.ENOSPC) {
				t.Errorf("the error is %v, want %v", err, unix.ENOSPC)
			}
			wantContent(t, f, "old")
			os.Remove(filepath.Join(dir, "ballast2"))
			os.Remove(filepath.Join(dir, "ballast1"))
			wantNames(t, dir, "x.state")
			mustDo(t, "Write", f.Write([]byte("new")))
			wantContent(t, f, "new")
		})
	}
}

func TestOnAFullDiskWriteMayOverwriteTheFileInPlace(t *testing.T) {
	dir := t.TempDir()
	mountTmpfs(t, dir, "nr_inodes=3")
	mustDo(t, "WriteFile", os.WriteFile(filepath.Join(dir, "ballast"), nil, 0o600))
	f := fileIn(dir)
	f.InPlace = true
	for _, content := range []string{"old and longer", "new"} {
		mustDo(t, "Write", f.Write([]byte(content)))
		wantContent(t, f, content)
	}
	mustDo(t, "Remove", os.Remove(filepath.Join(dir, "ballast")))
	mustDo(t, "Link", os.Link(f.Path, f.Path+"-elsewhere"))
	if err := f.Write([]byte("x")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("a file of two names is overwritten in place: %v", err)
	}
	wantContent(t, f, "new")
	if err := f.Create([]byte("x")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Create overwrites in place: %v", err)
	}
}

func TestAnErrorOfWriteKeepsItsErrno(t *testing.T) {
	f := fileIn(t.TempDir())
	mustDo(t, "Write", f.Write([]byte("x")))
	var limit unix.Rlimit
	mustDo(t, "Getrlimit", unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nothing else may need a descriptor meanwhile
	mustDo(t, "Setrlimit", unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: limit.Max}))
	_, errRead := f.Read()
	errWrite := f.Write([]byte("y"))
	mustDo(t, "Setrlimit", unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	if errRead != error(unix.EMFILE) || errWrite != error(unix.EMFILE) {
		t.Errorf("without descriptors the errors are %v and %v, want %v", errRead, errWrite, unix.EMFILE)
	}

	file := filepath.Join(t.TempDir(), "file")
	mustDo(t, "WriteFile", os.WriteFile(file, nil, 0o600))
	if err := fileIn(file).Write(nil); err != error(unix.ENOTDIR) {
		t.Errorf("below a file the error is %v, want %v", err, unix.ENOTDIR)
	}
}
