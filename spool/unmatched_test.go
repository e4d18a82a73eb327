package spool

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAScanCountsWhatThePatternDoesNotMatchAndNamesTheFirst(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.json", "A.JSON", "b.txt", ".hidden", ".b.json.tmp", "x.json" + reasonSuffix} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{RejectedDir, "2026-11"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sp, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer sp.Close()
	scanned := func() Unmatched {
		t.Helper()
		page, err := sp.Scan(Entry{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return page.Unmatched
	}
	if got, want := scanned(), []string{"2026-11/", "A.JSON", "b.txt"}; got.Count != 3 || !slices.Equal(got.Samples, want) {
		t.Errorf("got %+v, want the 3 entries %q", got, want)
	}
	for i := range 100 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("A%d", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := scanned(), []string{"2026-11/", "A.JSON", "A0", "A1", "A10"}; got.Count != 103 || !slices.Equal(got.Samples, want) {
		t.Errorf("got %+v, want 103 entries and the first %q", got, want)
	}
}
