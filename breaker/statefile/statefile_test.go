package statefile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const maxSize = 1000

// fileIn is a state file in dir that does not exist yet.
func fileIn(dir string) File { return File{Path: filepath.Join(dir, "x.state"), MaxSize: maxSize} }

func mustDo(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func wantContent(t *testing.T, f File, want string) {
	t.Helper()
	if got, err := f.Read(); err != nil || string(got) != want {
		t.Errorf("the file holds %q, %v, want %q", got, err, want)
	}
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	mustDo(t, "ReadDir", err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if fmt.Sprint(names) != fmt.Sprint(want) {
		t.Errorf("the directory holds %q, want %q", names, want)
	}
}

func TestReadReturnsTheBytesThatWriteWrote(t *testing.T) {
	for _, volatile := range []bool{false, true} {
		f := fileIn(filepath.Join(t.TempDir(), "made", "on the way"))
		f.Volatile = volatile
		for _, content := range []string{"first", "", strings.Repeat("x", maxSize), "last"} {
			mustDo(t, "Write", f.Write([]byte(content)))
			wantContent(t, f, content)
		}
		wantNames(t, filepath.Dir(f.Path), "x.state")
	}
}

func TestReadAcceptsOnlyASmallRegularFile(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(path string) error
		want error
		text string
	}{
		{"nothing", func(string) error { return nil }, fs.ErrNotExist, "no such file"},
		{"a file that is too large", func(path string) error { return os.WriteFile(path, make([]byte, maxSize+1), 0o600) }, ErrTooLarge, "more than 1000 bytes"},
		{"a sparse file of a terabyte", func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40))
		}, ErrTooLarge, "more than 1000 bytes"},
		{"a link to a good file", func(path string) error {
			return errors.Join(os.WriteFile(path+".good", nil, 0o600), os.Symlink(path+".good", path))
		}, ErrNotRegular, "a symbolic link"},
		{"a link to itself", func(path string) error { return os.Symlink(path, path) }, ErrNotRegular, "a symbolic link"},
		{"a FIFO without a writer", func(path string) error { return unix.Mkfifo(path, 0o600) }, ErrNotRegular, "a FIFO"},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o700) }, ErrNotRegular, "a directory"},
		{"a link to a device", func(path string) error { return os.Symlink("/dev/zero", path) }, ErrNotRegular, "a symbolic link"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := fileIn(t.TempDir())
			mustDo(t, test.name, test.make(f.Path))
			data, err := f.Read()
			if err == nil || len(data) != 0 || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), f.Path) {
				t.Errorf("read as %d bytes, %v, want an error with %q and without the path", len(data), err, test.text)
			}
			if !errors.Is(err, test.want) {
				t.Errorf("%v is not %v", err, test.want)
			}
		})
	}
}

func TestReadRefusesADevice(t *testing.T) {
	f := File{Path: "/dev/zero", MaxSize: maxSize}
	if _, err := f.Read(); !errors.Is(err, ErrNotRegular) {
		t.Errorf("/dev/zero was read, %v", err)
	}
}

func TestAFileCountsAsSpoiledOnlyWhenTheFaultIsItsOwn(t *testing.T) {
	for _, test := range []struct {
		cause error
		want  bool
	}{
		{errors.New("empty"), true}, {ErrNotRegular, true}, {unix.EACCES, true}, {unix.EPERM, true}, {fs.ErrPermission, true},
		{unix.EIO, false}, {unix.EMFILE, false}, {unix.ENFILE, false}, {unix.ENOMEM, false}, {unix.ENOTDIR, false},
		{unix.ESTALE, false}, {unix.EINTR, false}, {&fs.PathError{Op: "open", Path: "x", Err: unix.EIO}, false},
	} {
		if got := IsSpoiled(test.cause); got != test.want {
			t.Errorf("%v says that the file is bad: %v, want %v", test.cause, got, test.want)
		}
	}
}

func TestABadFileIsSetAsideInPlaceOfAnEarlierOne(t *testing.T) {
	for _, test := range []struct {
		name       string
		old        func(path string) error
		isReplaced bool
	}{
		{"none", func(string) error { return nil }, true},
		{"file", func(path string) error { return os.WriteFile(path, []byte("old"), 0o600) }, true},
		{"symbolic link", func(path string) error { return os.Symlink("/etc/passwd", path) }, true},
		{"directory", func(path string) error { return os.Mkdir(path, 0o700) }, true},
		{"full directory", func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := fileIn(t.TempDir())
			mustDo(t, "WriteFile", os.WriteFile(f.Path, []byte("bad"), 0o600))
			mustDo(t, test.name, test.old(f.Path+".corrupt"))
			keptAs, err := f.SetAside()
			data, _ := os.ReadFile(f.Path + ".corrupt")
			if got := err == nil && keptAs == f.Path+".corrupt" && string(data) == "bad"; got != test.isReplaced {
				t.Errorf("set aside as %q, %v, with %q there", keptAs, err, data)
			}
		})
	}
}

func TestSweepRemovesWhatKilledWritersLeftAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	f := fileIn(dir)
	for _, name := range []string{"x.state", "x.state1", "x.state0123456789", "x.state.corrupt", "x.state12x", "x.state.1", "x.state-1", "x.state١", "other.state1"} {
		mustDo(t, "WriteFile", os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	mustDo(t, "Mkdir", os.Mkdir(f.Path+"2", 0o700))
	mustDo(t, "Symlink", os.Symlink("x.state", f.Path+"3"))
	f.Sweep()
	wantNames(t, dir, "other.state1", "x.state", "x.state-1", "x.state.1", "x.state.corrupt", "x.state12x", "x.state2", "x.state3", "x.state١")
}

func TestATemporaryIsSweptWhateverTheNameHolds(t *testing.T) {
	dir := t.TempDir()
	f := File{Path: filepath.Join(dir, "a*b"), MaxSize: maxSize}
	mustDo(t, "Write", f.Write([]byte("new")))
	temporary, err := os.CreateTemp(dir, "a*b"+"*")
	mustDo(t, "CreateTemp", err)
	temporary.Close()
	f.Sweep()
	wantNames(t, dir, "a*b")
}

func TestEverybodyMayReadAFileWhateverTheModeOfTheOldOneWas(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	f := fileIn(t.TempDir())
	want := func(what string) {
		t.Helper()
		if info, err := os.Lstat(f.Path); err != nil || info.Mode() != 0o644 {
			t.Errorf("%s the mode is %v, %v", what, info.Mode(), err)
		}
	}
	mustDo(t, "Write", f.Write([]byte("x")))
	want("of a first file")
	for _, mode := range []fs.FileMode{0o640, 0o600, 0o755 | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky} {
		mustDo(t, "Chmod", os.Chmod(f.Path, mode))
		mustDo(t, "Write", f.Write([]byte("y")))
		want(fmt.Sprintf("of a file written over one of %v", mode))
		mustDo(t, "Chmod", os.Chmod(f.Path, mode))
		f.Publish()
		want(fmt.Sprintf("of a published file that had %v", mode))
	}
}

func TestOnlyTheFileItselfIsPublished(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	mustDo(t, "WriteFile", os.WriteFile(victim, []byte("private"), 0o600))
	for name, refer := range map[string]func(string, string) error{"symbolic link": os.Symlink, "hard link": os.Link} {
		f := File{Path: filepath.Join(dir, name)}
		mustDo(t, name, refer(victim, f.Path))
		f.Publish()
		if info, err := os.Lstat(victim); err != nil || info.Mode() != 0o600 {
			t.Errorf("the file behind a %s has mode %v, %v", name, info.Mode(), err)
		}
	}
	File{Path: filepath.Join(dir, "missing")}.Publish()
	if _, err := os.Lstat(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestALinkIsReplacedAndNotWrittenThrough(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	mustDo(t, "WriteFile", os.WriteFile(victim, []byte("precious"), 0o600))
	before, err := os.Lstat(victim)
	mustDo(t, "Lstat", err)
	for name, link := range map[string]func(from, to string) error{"symbolic": os.Symlink, "hard": os.Link} {
		f := File{Path: filepath.Join(dir, name), MaxSize: maxSize}
		mustDo(t, name+" link", link(victim, f.Path))
		mustDo(t, "Write", f.Write([]byte("new")))
		wantContent(t, f, "new")
	}
	after, err := os.Lstat(victim)
	mustDo(t, "Lstat", err)
	data, err := os.ReadFile(victim)
	if err != nil || !bytes.Equal(data, []byte("precious")) || after.Mode() != before.Mode() || after.ModTime() != before.ModTime() {
		t.Errorf("behind the link stands %q, %v, %v", data, after, err)
	}
}

func TestCreateNeverReplacesAFile(t *testing.T) {
	f := fileIn(filepath.Join(t.TempDir(), "made"))
	mustDo(t, "Create", f.Create([]byte("first")))
	if err := f.Create([]byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second file is refused with %v, want %v", err, fs.ErrExist)
	}
	wantContent(t, f, "first")
	wantNames(t, filepath.Dir(f.Path), "x.state")
}

func TestADirectoryInThePlaceOfTheFileIsAnErrorAndLeavesNoTemporary(t *testing.T) {
	f := fileIn(t.TempDir())
	mustDo(t, "Mkdir", os.Mkdir(f.Path, 0o700))
	if err := f.Write([]byte("x")); err == nil {
		t.Error("a directory was replaced by a file")
	}
	wantNames(t, filepath.Dir(f.Path), "x.state")
}
