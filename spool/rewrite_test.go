package spool_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestRewriteKeepsTheBytesOfWhatIsLeftInOrder(t *testing.T) {
	for _, tt := range []struct {
		name, before string
		left         []int
		after        string
	}{
		{"the first is gone", `[{"a":1},{"b":2},{"c":3}]`, []int{1, 2}, `[{"b":2},{"c":3}]`},
		{"the last is gone", `[{"a":1},{"b":2},{"c":3}]`, []int{0, 1}, `[{"a":1},{"b":2}]`},
		{"one in the middle is left", `[{"a":1},{"b":2},{"c":3}]`, []int{1}, `[{"b":2}]`},
		{"all are left", `[1,2]`, []int{0, 1}, `[1,2]`},
		{"never encoded again", ` [ { "a" : 1.0e0 } ,"\u00e9\/", [ 1 , 2 ] ] ` + "\n", []int{0, 1, 2}, `[{ "a" : 1.0e0 },"\u00e9\/",[ 1 , 2 ]]`},
		{"bytes that are not UTF-8", "[\"\xff\",\"\xfe\"]", []int{1}, "[\"\xfe\"]"},
		{"an item that is an empty array", `[1,[]]`, []int{1}, `[[]]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			write(t, dir, "x.json", tt.before, time.Hour)
			if err := s.Rewrite(read(t, s, "x.json"), tt.left); err != nil {
				t.Fatal(err)
			}
			if got := content(t, dir, "x.json"); got != tt.after {
				t.Errorf("left %q, want %q", got, tt.after)
			}
			wantNames(t, "in the spool", list(t, dir), "x.json")
		})
	}
}

// A file of the largest size is rewritten once a second. As one piece, it would be in memory
// twice.
func TestALargeFileIsRewrittenPieceByPiece(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	var items []string
	for i := range 40_000 {
		items = append(items, fmt.Sprintf(`{"number":%d,"text":%q}`, i, strings.Repeat("x", 60)))
	}
	write(t, dir, "x.json", "["+strings.Join(items, ",")+"]", time.Hour)
	p := read(t, s, "x.json")
	var left []int
	for i := 1; i < len(items); i++ {
		left = append(left, i)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := s.Rewrite(p, left)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if used, size := after.TotalAlloc-before.TotalAlloc, uint64(len(p.Data)); used > size/10 {
		t.Errorf("to rewrite a file of %d bytes took %d of memory", size, used)
	}
	if got, want := content(t, dir, "x.json"), "["+strings.Join(items[1:], ",")+"]"; got != want {
		t.Errorf("the new file has %d bytes, want %d, or others", len(got), len(want))
	}
}

func TestRewriteKeepsModeAndTimeAndPlaceInTheQueue(t *testing.T) {
	for _, mode := range []os.FileMode{0o600, 0o640, 0o444, 0o666, 0o600 | os.ModeSetgid} {
		s, dir := newSpool(t, spool.Config{})
		path := filepath.Join(dir, "x.json")
		write(t, dir, "x.json", `[1,2]`, time.Hour+123456789*time.Nanosecond)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := s.Rewrite(read(t, s, "x.json"), []int{1}); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode() != mode || !st.ModTime().Equal(noon.Add(-time.Hour-123456789*time.Nanosecond)) {
			t.Errorf("mode %v, time %v, want %v and an hour before noon", st.Mode(), st.ModTime(), mode)
		}
	}
}

// A change between read and rewrite was never sent and must survive.
func TestRewriteLeavesAloneWhatIsNoLongerTheFileThatWasRead(t *testing.T) {
	for _, tt := range disturbances {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			write(t, dir, "x.json", `[1,2,3]`, time.Hour)
			p := read(t, s, "x.json")
			tt.disturb(t, filepath.Join(dir, "x.json"))
			before := snapshot(t, dir)
			if err := s.Rewrite(p, []int{2}); !errors.Is(err, tt.want) {
				t.Errorf("rewrite: %v, want %v", err, tt.want)
			}
			wantNames(t, "the spool", snapshot(t, dir), before...)
		})
	}
}

// A rewrite is not a change for whoever made it, and is one for whoever has read the file before.
func TestAFileCanBeRewrittenAgain(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `[1,2,3]`, time.Hour)
	stale, p := read(t, s, "x.json"), read(t, s, "x.json")
	must(t, s.Rewrite(p, []int{1, 2}))
	if err := s.Rewrite(stale, []int{0}); !errors.Is(err, spool.ErrChanged) {
		t.Errorf("a rewrite of what was read before another one: %v", err)
	}
	must(t, s.Rewrite(p, []int{2}))
	if got := content(t, dir, "x.json"); got != "[3]" {
		t.Errorf("left %q", got)
	}
	must(t, s.Remove(p))
	if got := list(t, dir); len(got) != 0 {
		t.Errorf("after the removal the spool holds %q", got)
	}
}

func TestRewriteInADirectoryThatMayNotBeWrittenLosesNothing(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		write(t, dir, "x.json", `[1,2]`, 0)
		if err := os.Chmod(filepath.Join(dir, "x.json"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
	}, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		err := s.Rewrite(read(t, s, "x.json"), []int{1})
		wantText(t, "a directory that may not be written", err, dir+"/x.json: rewrite: permission denied")
		if got := content(t, dir, "x.json"); got != `[1,2]` {
			t.Errorf("the file holds %q", got)
		}
	})
}

func TestALargeBatchIsRewrittenWhole(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	item := `"` + strings.Repeat("x", 100_000) + `"`
	write(t, dir, "x.json", "["+item+strings.Repeat(","+item, 99)+"]", 0)
	left := make([]int, 60)
	for i := range left {
		left[i] = 40 + i
	}
	if err := s.Rewrite(read(t, s, "x.json"), left); err != nil {
		t.Fatal(err)
	}
	if p := read(t, s, "x.json"); len(p.Items) != 60 || string(p.Items[59].Body) != item {
		t.Errorf("%d items are left", len(p.Items))
	}
}

// A file that holds no items must never take the place of one that does.
func TestAFileIsNeverRewrittenWithoutItems(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `[1,2,3]`, time.Hour)
	if err := s.Rewrite(read(t, s, "x.json"), nil); err == nil {
		t.Error("a rewrite that leaves no item succeeds, want an error: such a file is to be removed")
	}
	if got := content(t, dir, "x.json"); got != "[1,2,3]" {
		t.Errorf("the file holds %q, want what it held", got)
	}
}
