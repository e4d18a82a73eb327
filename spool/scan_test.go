package spool_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestScanReturnsOldestFirstThenByName(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "a_youngest.json", "{}", time.Second)
	write(t, dir, "b.json", "{}", time.Minute)
	write(t, dir, "c.json", "{}", time.Minute)
	write(t, dir, "d_one_nanosecond_older.json", "{}", time.Minute+time.Nanosecond)
	write(t, dir, "z_oldest.json", "{}", time.Hour)
	wantNames(t, "order", names(scan(t, s).Entries),
		"z_oldest.json", "d_one_nanosecond_older.json", "b.json", "c.json", "a_youngest.json")
}

// The fractions in the names of one known producer have one to four digits, so that 1763848123.9
// comes before 1763848123.1234 in time but not by name.
func TestScanDoesNotSortByName(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "buffer_1763848123.9_00000001.json", "[]", 2*time.Minute)
	write(t, dir, "buffer_1763848123.1234_00000002.json", "[]", time.Minute)
	write(t, dir, "profile_20251122_214843_00000003.json", "{}", 3*time.Minute)
	wantNames(t, "order", names(scan(t, s).Entries),
		"profile_20251122_214843_00000003.json", "buffer_1763848123.9_00000001.json", "buffer_1763848123.1234_00000002.json")
}

func TestScanCountsTheWholeSpoolAndKnowsTheOldestFile(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for i := range 10 {
		write(t, dir, fmt.Sprintf("%d.json", i), "12345", time.Duration(i)*time.Minute)
	}
	w, err := s.Scan(spool.Entry{}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if w.Files != 10 || w.Bytes != 50 || w.Oldest.Name != "9.json" || w.Oldest.Age(noon) != 9*time.Minute || !w.More {
		t.Errorf("page of 3: files %d, bytes %d, oldest %v, more %v", w.Files, w.Bytes, w.Oldest, w.More)
	}
	w, err = s.Scan(w.Oldest, 100)
	if err != nil {
		t.Fatal(err)
	}
	if w.Files != 10 || w.Bytes != 50 || w.Oldest.Name != "9.json" || w.Entries.Len() != 9 || w.More {
		t.Errorf("behind the oldest: files %d, bytes %d, oldest %v, entries %d, more %v", w.Files, w.Bytes, w.Oldest, w.Entries.Len(), w.More)
	}
}

func TestScanOfAnEmptySpoolFindsNothing(t *testing.T) {
	s, _ := newSpool(t, spool.Config{})
	w := scan(t, s)
	if w.Files != 0 || w.More || w.Entries.Len() != 0 || w.Oldest.Name != "" || w.Skipped.Count != 0 {
		t.Errorf("an empty spool gave %+v", w)
	}
}

// With any sizes of spool and pages, the pages together hold every file once, in the order of one
// large page.
func TestPagesHoldEachFileOnceInOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 40 {
		s, dir := newSpool(t, spool.Config{})
		size, limit := rnd.IntN(60), 1+rnd.IntN(25)
		for i := range size {
			age := time.Duration(rnd.IntN(8)) * time.Second // many equal times
			write(t, dir, fmt.Sprintf("%x_%d.json", rnd.Uint32(), i), "{}", age)
		}
		all := scan(t, s).Entries
		want := slices.Collect(all.All())
		if len(want) != size || !slices.IsSortedFunc(want, spool.Entry.Compare) {
			t.Fatalf("one large page of %d files: %v", size, want)
		}
		for _, overflow := range []bool{false, true} {
			sc := s.Scanner(limit, overflow)
			if got := collect(t, sc, limit); !slices.Equal(got, want) {
				t.Fatalf("%d files in pages of %d, overflow %v:\n%v\nwant\n%v", size, limit, overflow, got, want)
			}
			if got := list(t, dir); len(got) != size {
				t.Fatalf("the spool of %d files holds %q afterwards", size, got)
			}
		}
	}
}

// A scan examines several blocks of names at once.
func TestAScanOfManyBlocksFindsEveryFileOnce(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	const files, others = 1300, 40
	for i := range files {
		write(t, dir, fmt.Sprintf("%d.json", i), "{}", time.Duration(i*7919%files)*time.Second)
	}
	for i := range others {
		must(t, os.Mkdir(filepath.Join(dir, fmt.Sprintf("directory_%d.json", i)), 0o700))
	}
	for _, limit := range []int{files, files / 3} {
		page := scan(t, s)
		if page.Files != files || page.Bytes != 2*files || page.Skipped.Count != others {
			t.Fatalf("%d files, %d bytes and %d others, want %d, %d and %d", page.Files, page.Bytes, page.Skipped.Count, files, 2*files, others)
		}
		got := collect(t, s.Scanner(limit, true), limit)
		if !slices.Equal(got, slices.Collect(page.Entries.All())) || !slices.IsSortedFunc(got, spool.Entry.Compare) {
			t.Fatalf("%d entries in pages of %d", len(got), limit)
		}
	}
}

// collect returns what a scanner has, page after page.
func collect(t *testing.T, sc *spool.Scanner, limit int) (got []spool.Entry) {
	t.Helper()
	for more := true; more; {
		w, err := sc.Next()
		if err != nil {
			t.Fatal(err)
		}
		if w.Entries.Len() > limit {
			t.Fatalf("a page of %d holds %d entries", limit, w.Entries.Len())
		}
		got = slices.AppendSeq(got, w.Entries.All())
		more = w.More
	}
	return got
}

// Files are removed between one page and the next; that must not hide others.
func TestNextPageIsRightAfterRemovals(t *testing.T) {
	for _, overflow := range []bool{false, true} {
		s, dir := newSpool(t, spool.Config{})
		for i := range 10 {
			write(t, dir, fmt.Sprintf("%d.json", i), "{}", -time.Duration(i)*time.Second)
		}
		sc := s.Scanner(3, overflow)
		var got []string
		for more := true; more; {
			w, err := sc.Next()
			if err != nil {
				t.Fatal(err)
			}
			for e := range w.Entries.All() {
				got = append(got, e.Name)
				if err := os.Remove(filepath.Join(dir, e.Name)); err != nil {
					t.Fatal(err)
				}
			}
			more = w.More
		}
		wantNames(t, "in all pages", got, "0.json", "1.json", "2.json", "3.json", "4.json", "5.json", "6.json", "7.json", "8.json", "9.json")
	}
}

func TestTheEarliestAndTheLatestTimesAreInOrder(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for name, mtime := range map[string]time.Time{
		"1901.json":     time.Date(1901, 12, 14, 0, 0, 0, 0, time.UTC),
		"1969.json":     time.Unix(-1, 0),
		"1970.json":     time.Unix(0, 0),
		"2026.json":     noon,
		"2262.json":     time.Unix(0, math.MaxInt64),
		"2262_far.json": time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		write(t, dir, name, "{}", 0)
		ts, err := unix.TimeToTimespec(mtime) // os.Chtimes overflows
		if err == nil {
			err = unix.UtimesNano(filepath.Join(dir, name), []unix.Timespec{ts, ts})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w := scan(t, s)
	wantNames(t, "order", names(w.Entries), "1901.json", "1969.json", "1970.json", "2026.json", "2262.json", "2262_far.json")
	if w.More {
		t.Error("a scan that found everything says that there is more")
	}
	if w, err := s.Scan(w.Entries.At(2), 1); err != nil || !slices.Equal(names(w.Entries), []string{"2026.json"}) {
		t.Errorf("behind 1970: %q, %v", names(w.Entries), err)
	}
}

func TestPatternSaysWhatAPayloadFileIs(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		want    []string
	}{
		{"", []string{"a.json", "b.ndjson.json"}},
		{"*.json", []string{"a.json", "b.ndjson.json"}},
		{"*", []string{"a.json", "b.ndjson.json", "c.JSON", "d", "e.json.tmp"}},
		{"[ab]*", []string{"a.json", "b.ndjson.json"}},
		{"?", []string{"d"}},
		{".*", nil}, // a dotfile is never a payload file
	} {
		t.Run("pattern "+tt.pattern, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{Pattern: tt.pattern})
			for _, name := range []string{"a.json", "b.ndjson.json", "c.JSON", "d", "e.json.tmp", ".f.json", ".json"} {
				write(t, dir, name, "{}", 0)
			}
			if err := os.Mkdir(filepath.Join(dir, spool.RejectedDir), 0o700); err != nil {
				t.Fatal(err)
			}
			w := scan(t, s)
			wantNames(t, "payload files", names(w.Entries), tt.want...)
			if w.Skipped.Count != 0 {
				t.Errorf("skipped without need: %v", w.Skipped.Samples)
			}
			if empty, err := s.Empty(); err != nil || empty != (len(tt.want) == 0) {
				t.Errorf("empty: %v, %v", empty, err)
			}
		})
	}
}

// A directory that may be listed but not searched cannot be drained, and saying nothing would look
// like an empty spool.
func TestScanFailsWhenNothingMayBeLookedAt(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		write(t, dir, "x.json", "{}", 0)
		if err := os.Chmod(dir, 0o444); err != nil {
			t.Fatal(err)
		}
	}, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		if w, err := s.Scan(spool.Entry{}, 0); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("scan: %+v, %v", w, err)
		}
	})
}

// Has decides whether what is remembered about a file may be forgotten.
func TestHasFindsRegularFilesOnly(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "", 0)
	must(t, os.Mkdir(filepath.Join(dir, "directory.json"), 0o700))
	must(t, os.Symlink("x.json", filepath.Join(dir, "link.json")))
	for name, want := range map[string]bool{
		"x.json": true, "gone.json": false, "directory.json": false, "link.json": false, "directory.json/../x.json": false, "..": false,
		"": false, "nul\x00.json": false, strings.Repeat("n", 256): false,
	} {
		if got := s.Has(name); got != want {
			t.Errorf("Has(%q) is %v", name, got)
		}
	}
}
