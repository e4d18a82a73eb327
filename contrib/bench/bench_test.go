//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// The real thing with few files. The programs are built once.
func TestEveryMeasurementRunsWithAFewFiles(t *testing.T) {
	b, err := newBench(options{files: 150, size: 300, rounds: 1, dir: t.TempDir(), far: 60, alone: 3, idleRuns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.cleanUp)
	l, err := b.startListener()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("every contender delivers all and is compared", func(t *testing.T) {
		var text strings.Builder
		if err := b.race(&text); err != nil {
			t.Fatal(err)
		}
		for _, c := range b.contenders() {
			if !strings.Contains(text.String(), "| "+c.name+" | ") {
				t.Errorf("the table lacks %q:\n%s", c.name, &text)
			}
		}
		if strings.Contains(text.String(), "NaN") || strings.Contains(text.String(), "Inf") {
			t.Errorf("a ratio without a contender:\n%s", &text)
		}
	})
	for _, c := range []struct {
		name  string
		sends bool
		err   string
	}{
		{"a contender that delivers nothing ends the race", true, "received 0 items"},
		{"a contender that removes nothing ends the race", false, "150 files are left"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lazy := contender{sends: c.sends, run: func(string) (float64, error) { return 0, nil }}
			if _, err := b.turn(lazy, l); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v", err)
			}
			for _, file := range files(t, b) {
				if info, err := os.Stat(file); err != nil || info.Size() != int64(b.size) {
					t.Errorf("%s: %v, want a file of %d bytes: %v", file, info, b.size, err)
				}
				os.Remove(file)
			}
		})
	}
	t.Run("the built binary sends in order of age", func(t *testing.T) {
		l, err := newOrderRecorder()
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		for _, s := range []stock{b.singles(400), b.arrays(4, 100, minPayload)} {
			r, err := b.bigRun(l, s, "--concurrency", "1")
			if err != nil || r.payloads != 400 || r.disorder != 0 || r.firstPOST <= 0 {
				t.Errorf("%s: %+v, %v", s.text, r, err)
			}
		}
	})
	t.Run("an idle run is measured", func(t *testing.T) {
		need.Program(t, "valgrind")
		need.Program(t, "strace")
		var text strings.Builder
		if err := b.idleRun(&text); err != nil {
			t.Error(err)
		}
		for _, gap := range []string{"not measured", "NaN", "Inf", "| 0.00 |"} {
			if strings.Contains(text.String(), gap) {
				t.Errorf("the table says %q:\n%s", gap, &text)
			}
		}
	})
}

func files(t *testing.T, b *bench) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(b.spool, "*.json"))
	if err != nil || len(all) != b.files {
		t.Fatalf("%d files in the spool, want %d: %v", len(all), b.files, err)
	}
	return all
}

func TestMissingAndRepeatedPayloadsAreErrors(t *testing.T) {
	for _, c := range []struct {
		name     string
		came     []int32
		disorder int
		err      string
	}{
		{"in order", []int32{0, 1, 2, 3}, 0, ""},
		{"two swapped", []int32{0, 1, 3, 2}, 1, ""},
		{"the oldest last", []int32{1, 2, 3, 0}, 3, ""},
		{"one missing", []int32{0, 1, 2}, 0, "3 of 4 payloads came"},
		{"one twice", []int32{0, 1, 1, 2}, 0, "came twice"},
		{"one that was never spooled", []int32{0, 1, 2, 9}, 0, "never spooled"},
	} {
		l := &orderRecorder{order: c.came}
		switch most, err := l.disorder(4); {
		case c.err == "" && (err != nil || most != c.disorder):
			t.Errorf("%s: got %d, %v, want %d", c.name, most, err, c.disorder)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.err)
		}
	}
}

// The second of three rounds was ten times as slow for both.
func TestARatioComparesContendersOfTheSameRound(t *testing.T) {
	turns := map[string][]turn{
		"a": {{seconds: 1, cpu: 1}, {seconds: 10, cpu: 3}, {seconds: 1, cpu: 1}},
		"b": {{seconds: 2, cpu: 2}, {seconds: 20, cpu: 2}, {seconds: 3, cpu: 2}},
	}
	got := compare([]comparison{{over: "a", under: "b", want: 2}, {over: "a", under: "b", cpu: true, want: 0.4}}, turns)
	for i, want := range []ratio{
		{spread: spread{2, 2, 3}, limit: 2},
		{spread: spread{0.5, 0.5, 1.5}, limit: 0.4, atMost: true},
	} {
		if got[i] != want || got[i].reached() != (i == 0) {
			t.Errorf("got %+v, reached %v, want %+v", got[i], got[i].reached(), want)
		}
	}
}
