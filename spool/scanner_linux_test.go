package spool

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// scanned is a spool of nine files, 1.json to 9.json in that order, of which the first page of
// three has been taken.
func scanned(t *testing.T) (dir string, sc *Scanner) {
	t.Helper()
	dir = t.TempDir()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for i := 1; i < 10; i++ {
		place(t, dir, i)
	}
	sc = s.Scanner(3, true)
	sc.spare = 0 // whatever the machine has
	t.Cleanup(sc.Close)
	if got := next(t, sc); got != "1 2 3 ..." {
		t.Fatalf("the first page is %s", got)
	}
	return dir, sc
}

func place(t *testing.T, dir string, n int) {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprint(n, ".json"))
	mtime := time.Unix(int64(n), 0)
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, mtime, mtime); err != nil {
		t.Fatal(err)
	}
}

// next names the files of the next page, with dots where there is more.
func next(t *testing.T, sc *Scanner) string {
	t.Helper()
	w, err := sc.Next()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e := range w.Entries.All() {
		got = append(got, strings.TrimSuffix(e.Name, ".json"))
	}
	if w.More {
		got = append(got, "...")
	}
	return strings.Join(got, " ")
}

// The first page names the youngest files outside it, from which a drain chooses after failures.
func TestAPageNamesTheYoungestFilesOutsideIt(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const files = 3 + 2*maxYoungest + 7
	for i := range files {
		place(t, dir, i+1)
	}
	page, err := s.Scan(Entry{}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(page.Youngest); n != maxYoungest {
		t.Fatalf("the page of 3 of %d files names %d others", files, n)
	}
	for i, e := range page.Youngest {
		if want := fmt.Sprint(files-maxYoungest+i+1, ".json"); e.Name != want {
			t.Fatalf("number %d of the youngest is %s, want %s", i, e.Name, want)
		}
	}
}

// Looking at every payload file is most of a scan's time.
func TestAnOverflowFileMakesASecondWalkOfTheDirectoryUnnecessary(t *testing.T) {
	dir, sc := scanned(t)
	place(t, dir, 10)
	for _, want := range []string{"4 5 6 ...", "7 8 9"} {
		if got := next(t, sc); got != want {
			t.Errorf("the page is %s, want %s", got, want)
		}
	}
	if sc.over != nil {
		t.Error("the overflow is still there after the last page")
	}
}

func TestAnOverflowFileHasNoNameInTheSpool(t *testing.T) {
	dir, sc := scanned(t)
	if sc.over.file == nil {
		t.Fatal("there is no overflow")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			t.Errorf("%s is in the spool", e.Name())
		}
	}
}

// The overflow is a help and no more: without it the next walk finds the rest.
func TestWithoutAnOverflowFileTheSpoolIsWalkedAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		harm func(*overflow)
	}{
		{"it could not be written", func(o *overflow) { o.err = unix.ENOSPC }},
		{"it cannot be written to its end", func(o *overflow) { o.file.Close() }},
		{"there is no room to spare", func(o *overflow) { o.spare = math.MaxInt64 / 2 }},
		{"it cannot be read", func(o *overflow) { o.whole(); o.file.Close() }},
		{"it ends within a name", func(o *overflow) { o.whole(); o.file.Truncate(20) }},
		{"it ends before a name", func(o *overflow) { o.whole(); o.file.Truncate(18) }},
		{"it ends after the first entry", func(o *overflow) { o.whole(); o.file.Truncate(18 + int64(len("4.json"))) }},
		{"it is empty", func(o *overflow) { o.whole(); o.file.Truncate(0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, sc := scanned(t)
			tt.harm(sc.over)
			place(t, dir, 10)
			for _, want := range []string{"4 5 6 ...", "7 8 9 ...", "10"} {
				if got := next(t, sc); got != want {
					t.Errorf("the page is %s, want %s", got, want)
				}
				if sc.over != nil {
					tt.harm(sc.over)
				}
			}
		})
	}
}

func TestASpoolThatFitsInAPageNeedsNoOverflowFile(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	place(t, dir, 1)
	sc := s.Scanner(0, true)
	scan := s.newScan(Entry{}, 0)
	scan.over = &overflow{dir: -1}
	if _, err := scan.walk(); err != nil || scan.over.file != nil || scan.over.err != nil {
		t.Errorf("the overflow was begun: %v, %v", scan.over.err, err)
	}
	if got := next(t, sc); got != "1" {
		t.Errorf("the page is %s", got)
	}
}

// Payloads are what the room on the disk is for.
func TestAnOverflowFileThatLeavesTooLittleRoomIsGivenUpAtOnce(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	o := &overflow{dir: int(dir.Fd()), spare: math.MaxInt64 / 2}
	for range 10_000 {
		o.add(Entry{Name: "some_name.json"})
	}
	if o.file != nil || o.whole() || !errors.Is(o.err, unix.ENOSPC) {
		t.Errorf("after 10,000 entries it is open: %v, %v", o.file != nil, o.err)
	}
}

func TestAnOverflowFileReturnsTheEntriesThatWereAdded(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	o := &overflow{dir: int(dir.Fd())}
	defer o.close()
	want := []Entry{{Name: "a", ModTime: -1, Size: 1 << 40}, {Name: strings.Repeat("é", 255), ModTime: 1}, {Name: "\xff\n"}}
	for _, e := range want {
		o.add(e)
	}
	if !o.whole() {
		t.Fatal(o.err)
	}
	for range 2 { // once for each page
		var got []Entry
		if err := o.each(func(e Entry) { got = append(got, e) }); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v came back: %v", got, err)
		}
	}
}
