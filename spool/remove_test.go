package spool_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

// A disturbance is what producers and people may do to a payload file between any two steps of a
// run.
type disturbance struct {
	name    string
	disturb func(t *testing.T, path string)
	want    error
}

var disturbances = []disturbance{
	{"replaced", func(t *testing.T, path string) {
		write(t, filepath.Dir(path), ".new", `[7,8,9]`, time.Minute)
		must(t, os.Rename(filepath.Join(filepath.Dir(path), ".new"), path))
	}, spool.ErrChanged},
	{"replaced by a file of the same size and time", func(t *testing.T, path string) {
		write(t, filepath.Dir(path), ".new", `[7,8,9]`, time.Hour)
		must(t, os.Rename(filepath.Join(filepath.Dir(path), ".new"), path))
	}, spool.ErrChanged},
	{"overwritten in place with the old time set back", func(t *testing.T, path string) {
		// The change time is as coarse as a tick of the kernel's clock.
		for before := changeTime(t, path); changeTime(t, path) == before; {
			write(t, filepath.Dir(path), filepath.Base(path), `[7,8,9]`, time.Hour)
		}
	}, spool.ErrChanged},
	{"appended to", func(t *testing.T, path string) {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		must(t, err)
		_, err = f.WriteString(" ")
		must(t, errors.Join(err, f.Close()))
	}, spool.ErrChanged},
	{"truncated", func(t *testing.T, path string) { must(t, os.Truncate(path, 0)) }, spool.ErrChanged},
	{"replaced by a symbolic link to itself elsewhere", func(t *testing.T, path string) {
		must(t, os.Rename(path, path+".moved"))
		must(t, os.Symlink(path+".moved", path))
	}, spool.ErrChanged},
	{"replaced by a directory", func(t *testing.T, path string) {
		must(t, os.Remove(path))
		must(t, os.Mkdir(path, 0o700))
	}, spool.ErrChanged},
	{"taken away", func(t *testing.T, path string) { must(t, os.Remove(path)) }, spool.ErrVanished},
	{"renamed", func(t *testing.T, path string) { must(t, os.Rename(path, path+".moved")) }, spool.ErrVanished},
}

func changeTime(t *testing.T, path string) unix.Timespec {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Stat(path, &st))
	return st.Ctim
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// snapshot describes what a directory and those in it hold, to be compared.
func snapshot(t *testing.T, dir string) []string {
	t.Helper()
	all := []string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		line := fmt.Sprintf("%s %v", name, d.Type())
		if d.Type().IsRegular() {
			line += " " + content(t, path)
		}
		all = append(all, line)
		return nil
	}))
	return all
}

func TestRemoveRemovesTheFileThatWasRead(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", 0)
	write(t, dir, "y.json", "{}", 0)
	must(t, s.Remove(read(t, s, "x.json")))
	must(t, s.Sync())
	wantNames(t, "left", list(t, dir), "y.json")
}

// Delivered is delivered: that it is gone already is what was wanted.
func TestRemoveLeavesAloneWhatIsNoLongerTheFileThatWasRead(t *testing.T) {
	for _, tt := range disturbances {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			write(t, dir, "x.json", `[1,2,3]`, time.Hour)
			p := read(t, s, "x.json")
			tt.disturb(t, filepath.Join(dir, "x.json"))
			before := snapshot(t, dir)
			want := tt.want
			if want == spool.ErrVanished {
				want = nil
			}
			if err := s.Remove(p); !errors.Is(err, want) {
				t.Errorf("remove: %v, want %v", err, want)
			}
			wantNames(t, "the spool", snapshot(t, dir), before...)
		})
	}
}

func TestRemovingAFileTwiceIsNotAnError(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", 0)
	p := read(t, s, "x.json")
	must(t, s.Remove(p))
	must(t, s.Remove(p))
}

// Two names of one file are two payload files; removing one changes the other's change time, which
// only matters for who has read it before.
func TestHardLinksAreFilesOfTheirOwn(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", 0)
	must(t, os.Link(filepath.Join(dir, "x.json"), filepath.Join(dir, "y.json")))
	y := read(t, s, "y.json")
	must(t, s.Remove(read(t, s, "x.json")))
	if err := s.Remove(y); !errors.Is(err, spool.ErrChanged) {
		t.Errorf("read before its other name was removed: %v", err)
	}
	must(t, s.Remove(read(t, s, "y.json")))
	wantNames(t, "left", list(t, dir))
}

func TestAFailedRemovalNamesFileAndCause(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		write(t, dir, "x.json", "{}", 0)
		must(t, os.Chmod(filepath.Join(dir, "x.json"), 0o644))
		must(t, os.Chmod(dir, 0o555))
	}, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		err := s.Remove(read(t, s, "x.json"))
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v", err)
		}
		wantText(t, "a file that cannot be removed", err, dir+"/x.json: remove: permission denied")
		wantNames(t, "left", list(t, dir), "x.json")
	})
}

func deleteLine(lines []string, line string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return l == line })
}
