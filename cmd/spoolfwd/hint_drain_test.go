package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool/drain"
)

func TestErrorsAboutIndexAndDeliveredFilesHaveAHintAboutTheNextRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.index")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, peeked := drain.PeekIndex(path)
	_, opened := drain.OpenIndex(path)
	for _, test := range []struct {
		name string
		err  error
		hint string
	}{
		{"a damaged index that was looked at", peeked, "the next run begins a new one"},
		{"a damaged index that a run found", opened, "under the same keys"},
		{"a delivered file that stays and is remembered", &drain.StuckError{Err: os.ErrPermission, Remembered: true}, "will not be sent again"},
		{"a delivered file that stays and is not remembered", &drain.StuckError{Err: os.ErrPermission}, "may be sent again"},
		{"any other error", errors.New("x"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := hintOf(test.err)
			if test.hint == "" && got != "" || !strings.Contains(got, test.hint) {
				t.Errorf("the hint of %q is %q, want %q in it", test.err, got, test.hint)
			}
		})
	}
}
