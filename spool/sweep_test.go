package spool_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestLeftoversAreListedAndSwept(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, ".spoolfwd-0123456789abcdef.tmp", "[1", 0)
	write(t, dir, ".spoolfwd-fedcba9876543210.tmp", "", time.Hour)
	write(t, dir, ".spoolput-0000000000000001.tmp", "{", time.Hour) // as old as a dead Put's
	write(t, dir, "x.json", "{}", time.Hour)
	w := scan(t, s)
	slices.Sort(w.Leftovers)
	wantNames(t, "leftovers", w.Leftovers,
		".spoolfwd-0123456789abcdef.tmp", ".spoolfwd-fedcba9876543210.tmp", ".spoolput-0000000000000001.tmp")
	s.Sweep(noon, w.Leftovers)
	wantNames(t, "after the sweep", list(t, dir), "x.json")
}

// Put takes no lock: a young temporary may be one that is being written.
func TestTemporariesOfALivingPutAreNotSwept(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for name, age := range map[string]time.Duration{
		".spoolput-0000000000000001.tmp": 0,
		".spoolput-0000000000000002.tmp": time.Hour - time.Second,
		".spoolput-0000000000000003.tmp": -24 * time.Hour, // a clock stepped back
	} {
		write(t, dir, name, "{", age)
	}
	before := list(t, dir)
	s.Sweep(noon, scan(t, s).Leftovers)
	wantNames(t, "after the sweep", list(t, dir), before...)
}

func TestSweepRemovesNothingButRegularTemporaries(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", 0)
	write(t, dir, ".spoolfwd-note", "", 0)
	write(t, dir, ".tmp", "", 0)
	if err := os.Mkdir(filepath.Join(dir, ".spoolfwd-directory.tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("x.json", filepath.Join(dir, ".spoolfwd-link.tmp")); err != nil {
		t.Fatal(err)
	}
	before := list(t, dir)
	s.Sweep(noon, append(scan(t, s).Leftovers, before...))
	s.Sweep(noon, []string{"../x", "", ".spoolfwd-gone.tmp"})
	wantNames(t, "after the sweep", list(t, dir), before...)
}

// A directory full of somebody's junk must not fill the memory.
func TestLeftoversHeldInMemoryAreBounded(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	for i := range 1500 {
		name := filepath.Join(dir, spool.TempPrefix+string(rune('a'+i%26))+time.Duration(i).String()+".tmp")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		w := scan(t, s)
		if n := len(w.Leftovers); n > 1000 {
			t.Errorf("one scan holds %d leftovers", n)
		}
		s.Sweep(noon, w.Leftovers)
	}
	wantNames(t, "after two sweeps", list(t, dir))
}
