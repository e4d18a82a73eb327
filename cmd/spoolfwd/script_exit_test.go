package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
)

// The table is a promise of the binary; the scripts, which run the binary, keep it row by row.
func TestEveryExitCodeIsShownByAScript(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^(?:\[.*\] )?(?:exits|ended \w+) ([0-9]+)`).FindAllSubmatch(text, -1) {
			shown[string(match[1])] = true
		}
	}
	for _, m := range exit.Meanings() {
		if !shown[strconv.Itoa(int(m.Code))] {
			t.Errorf("no script ends with %d, %s", m.Code, m.Text)
		}
	}
}

// A payload that nobody can read stays in the spool for good.
func TestAnUnreadableEntryDecidesTheExitCodeThoughManyHarmlessOnesWereSkipped(t *testing.T) {
	for _, c := range []struct {
		cause error
		want  exit.Code
	}{
		{nil, exit.OK},
		{syscall.ELOOP, exit.OK},
		{syscall.EACCES, exit.Permission},
		{syscall.EIO, exit.IO},
	} {
		o := outcome{}
		for i := range 6 { // more than are named
			o.report.Skipped.Add(spool.SkipError{Name: fmt.Sprint(i), Reason: "is a FIFO"})
		}
		o.report.Skipped.Add(spool.SkipError{Name: "x.json", Reason: "cannot be examined", Err: c.cause})
		if got := o.code(); got != c.want {
			t.Errorf("after %v: got %d, want %d", c.cause, got, c.want)
		}
	}
}
