package spool_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// A stranger is a directory entry that has a payload file's name and is something else.
type stranger struct {
	name string
	is   string // what a scan calls it
	make func(t *testing.T, path, outside string) error
}

var strangers = []stranger{
	{"link_outside.json", "is a symbolic link", func(t *testing.T, path, outside string) error {
		write(t, outside, "secret.json", "{}", time.Hour)
		return os.Symlink(filepath.Join(outside, "secret.json"), path)
	}},
	{"link_inside.json", "is a symbolic link", func(t *testing.T, path, _ string) error { return os.Symlink("good.json", path) }},
	{"link_dangling.json", "is a symbolic link", func(t *testing.T, path, _ string) error { return os.Symlink("nowhere", path) }},
	{"link_loop.json", "is a symbolic link", func(t *testing.T, path, _ string) error { return os.Symlink(filepath.Base(path), path) }},
	{"link_fifo.json", "is a symbolic link", func(t *testing.T, path, _ string) error { return os.Symlink("fifo.json", path) }},
	{"link_null.json", "is a symbolic link", func(t *testing.T, path, _ string) error { return os.Symlink(os.DevNull, path) }},
	{"fifo.json", "is a FIFO", func(t *testing.T, path, _ string) error { return syscall.Mkfifo(path, 0o600) }},
	{"directory.json", "is a directory", func(t *testing.T, path, _ string) error { return os.Mkdir(path, 0o700) }},
	{"socket.json", "is a socket", func(t *testing.T, path, outside string) error {
		// Socket addresses are short, so the socket is made elsewhere and moved.
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(shortDir(t), "s")})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false)
		t.Cleanup(func() { l.Close() })
		return os.Rename(l.Addr().String(), path)
	}},
	{"device.json", "is a device", mknod},
}

// errNotHere says why a stranger could not be made.
var errNotHere = errors.New("cannot be made here")

func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// strange makes all strangers and one good file, and returns the names made.
func strange(t *testing.T, dir string) []string {
	t.Helper()
	write(t, dir, "good.json", `{"good":true}`, time.Minute)
	outside := t.TempDir()
	var made []string
	for _, st := range strangers {
		err := st.make(t, filepath.Join(dir, st.name), outside)
		if errors.Is(err, errNotHere) {
			t.Logf("%s is left out: %v", st.name, err)
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", st.name, err)
		}
		made = append(made, st.name)
	}
	return made
}

func TestScanSkipsWhatIsNotARegularFileAndNamesTheFirstFew(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	made := strange(t, dir)
	before := list(t, dir)
	w := scan(t, s)
	wantNames(t, "payload files", names(w.Entries), "good.json")
	if w.Skipped.Count != len(made) || w.Files != 1 {
		t.Errorf("%d skipped and %d payload files, want %d and 1", w.Skipped.Count, w.Files, len(made))
	}
	if n := len(w.Skipped.Samples); n != 5 {
		t.Errorf("%d are named, want the first 5", n)
	}
	for _, skipped := range w.Skipped.Samples {
		right := func(st stranger) bool { return st.name == skipped.Name && st.is == skipped.Reason }
		if !slices.ContainsFunc(strangers, right) {
			t.Errorf("a wrong reason: %v", skipped.Error())
		}
	}
	wantNames(t, "after the scan", list(t, dir), before...)
}

// A stranger may take a file's place between scan and read: the open must not follow, wait or read.
func TestReadSkipsWhatIsNotARegularFile(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for _, name := range strange(t, dir) {
		p, err := s.Read(spool.Entry{Name: name, Size: 2}, noon, nil)
		var skip *spool.SkipError
		if !errors.As(err, &skip) || skip.Pending || skip.Name != name {
			t.Errorf("%s: %v", name, err)
		}
		if len(p.Data) != 0 {
			t.Errorf("%s was read: %q", name, p.Data)
		}
		wantText(t, name, err, `"`+name+`" is `)
	}
}

func TestEmptyIgnoresWhatIsNotAPayloadFile(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	strange(t, dir)
	if empty, err := s.Empty(); empty || err != nil {
		t.Errorf("with one good file: empty %v, %v", empty, err)
	}
	if err := os.Remove(filepath.Join(dir, "good.json")); err != nil {
		t.Fatal(err)
	}
	if empty, err := s.Empty(); !empty || err != nil {
		t.Errorf("with strangers only: empty %v, %v", empty, err)
	}
}

// A great many strangers are a number; only the first few are held.
func TestManyOtherEntriesDoNotHideThePayloadFiles(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for i := range 500 {
		if err := os.Symlink("nowhere", filepath.Join(dir, fmt.Sprintf("%d.json", i))); err != nil {
			t.Fatal(err)
		}
		write(t, dir, fmt.Sprintf("%d.txt", i), "", 0)
	}
	for i := range 10 {
		write(t, dir, fmt.Sprintf("good_%d.json", i), "{}", time.Minute)
	}
	w := scan(t, s)
	if w.Files != 10 || w.Skipped.Count != 500 || len(w.Skipped.Samples) != 5 {
		t.Errorf("%d payload files, %d skipped, %d named", w.Files, w.Skipped.Count, len(w.Skipped.Samples))
	}
}

// oddNames are names that Unix allows and programs stumble over.
var oddNames = []string{
	strings.Repeat("n", 250) + ".json",
	strings.Repeat("ö", 125) + ".json",
	"new\nline.json",
	"escape\x1b[2J\x07.json",
	"not\xffutf8\xc3.json",
	`quote".json`,
	`"quoted".json`,
	`back\slash.json`,
	"  spaces  .json",
	"*[glob]?.json",
	"-rf.json",
	"%s%n.json",
	"a..json",
	"~.json",
	"nul\u2028sep.json",
}

func TestOddNamesAreScannedAndReadAndRemoved(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	made := []string{}
	for _, name := range oddNames {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(`{"n":1}`), 0o600); err != nil {
			t.Logf("%q is left out: %v", name, err) // not every file system takes every name
			continue
		}
		made = append(made, name)
	}
	slices.Sort(made)
	w := scan(t, s)
	got := names(w.Entries)
	slices.Sort(got)
	wantNames(t, "payload files", got, made...)
	for e := range w.Entries.All() {
		if err := s.Remove(read(t, s, e.Name)); err != nil {
			t.Errorf("%q: %v", e.Name, err)
		}
	}
	wantNames(t, "left", list(t, dir))
}

// Names go into messages, and messages go to terminals.
func TestMessagesQuoteNames(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	name := "escape\x1b[2J\nnew.json"
	write(t, dir, name, "{", 0)
	_, err := s.Read(spool.Entry{Name: name}, noon, nil)
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("the message holds control characters: %q", err)
	}
}

// Producers write under temporary names and rename; one that is killed in between leaves its
// temporary behind.
func TestTemporariesOfProducersAreIgnored(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for _, name := range []string{"buffer_Ab3xYz", "profiling_Ab3xYz", ".hidden.json", ".nfs000001.json", "x.json.tmp", "x.jsonl", "xjson"} {
		write(t, dir, name, "{}", 24*time.Hour)
	}
	before := list(t, dir)
	w := scan(t, s)
	if w.Files != 0 || w.Skipped.Count != 0 || len(w.Leftovers) != 0 {
		t.Errorf("found %q, skipped %v, leftovers %q", names(w.Entries), w.Skipped, w.Leftovers)
	}
	s.Sweep(noon, before)
	wantNames(t, "after sweeping their names", list(t, dir), before...)
}
