//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMeasurements runs the real thing with few files. The programs are built once.
func TestMeasurements(t *testing.T) {
	b, err := newBench(options{files: 150, size: 300, rounds: 1, dir: t.TempDir(), trips: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.cleanUp)
	l, err := b.startListener()
	if err != nil {
		t.Fatal(err)
	}
	lazy := contender{name: "lazy", run: func(string) error { return nil }}

	t.Run("every contender delivers all and is compared", func(t *testing.T) {
		r, err := b.race()
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		r.markdown(&text)
		for _, c := range b.contenders() {
			if !strings.Contains(text.String(), "| "+c.name+" | ") {
				t.Errorf("the table says nothing of %q:\n%s", c.name, &text)
			}
		}
		for _, ratio := range r.(*raceResult).Ratios {
			if !(ratio.Lowest > 0 && ratio.Lowest <= ratio.Median && ratio.Median <= ratio.Most) {
				t.Errorf("%s: %v between %v and %v", ratio.Text, ratio.Median, ratio.Lowest, ratio.Most)
			}
		}
	})
	t.Run("one that delivers nothing ends the race", func(t *testing.T) {
		lazy.sends = true
		if _, err := b.turn(lazy, l); err == nil || !strings.Contains(err.Error(), "took 0 items") {
			t.Errorf("got %v", err)
		}
		empty(t, b)
	})
	t.Run("one that removes nothing ends the race", func(t *testing.T) {
		lazy.sends = false
		if _, err := b.turn(lazy, l); err == nil || !strings.Contains(err.Error(), "150 files are left") {
			t.Errorf("got %v", err)
		}
		empty(t, b)
	})
	t.Run("payload files are as large as asked", func(t *testing.T) {
		if err := b.fill(3); err != nil {
			t.Fatal(err)
		}
		for _, file := range empty(t, b) {
			if len(file) != b.size {
				t.Errorf("%d bytes instead of %d", len(file), b.size)
			}
		}
	})
	t.Run("the built binary sends in order of age", func(t *testing.T) {
		w, err := newWitness()
		if err != nil {
			t.Fatal(err)
		}
		defer w.socket.Close()
		r, err := b.bigRun(w, 400, 1)
		if err != nil {
			t.Fatal(err)
		}
		if r.Disorder != 0 || r.FirstPOST <= 0 {
			t.Errorf("places off: %d; first POST after %v s", r.Disorder, r.FirstPOST)
		}
	})
}

// empty empties the spool and returns what was in its files.
func empty(t *testing.T, b *bench) (contents []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(b.spool, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in the spool: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.Remove(file)
		}
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, string(text))
	}
	return contents
}

func TestTheWitnessSeesWhatIsMissingAndDoubled(t *testing.T) {
	for _, c := range []struct {
		name       string
		came       []int32
		early, all int
		wrong      string
	}{
		{"in order", []int32{0, 1, 2, 3}, 0, 0, ""},
		{"late ones swapped", []int32{0, 1, 3, 2}, 0, 1, ""},
		{"the oldest last", []int32{1, 2, 3, 0}, 1, 3, ""},
		{"one missing", []int32{0, 1, 2}, 0, 0, "3 of 4 payloads came"},
		{"one doubled", []int32{0, 1, 1, 2}, 0, 0, "came twice"},
		{"one that was never spooled", []int32{0, 1, 2, 9}, 0, 0, "never spooled"},
	} {
		w := &witness{order: c.came}
		early, all, err := w.disorder(4, 2)
		switch {
		case c.wrong == "" && (err != nil || early != c.early || all != c.all):
			t.Errorf("%s: got %d, %d, %v, want %d, %d", c.name, early, all, err, c.early, c.all)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.wrong)
		}
	}
}

func TestRatiosAreFormedWithinTheirRound(t *testing.T) {
	// The second round was ten times as slow for both.
	turns := map[string][]turn{
		"a": {{Seconds: 1, CPU: 1}, {Seconds: 10, CPU: 3}, {Seconds: 1, CPU: 1}},
		"b": {{Seconds: 2, CPU: 2}, {Seconds: 20, CPU: 2}, {Seconds: 3, CPU: 2}},
	}
	speed := comparison{what: perSecond, over: "a", under: "b", want: 2}.of(turns)
	if speed.Median != 2 || speed.Lowest != 2 || speed.Most != 3 || !speed.Target.Reached {
		t.Errorf("speed: %+v %+v", speed.spreadOf, *speed.Target)
	}
	cpu := comparison{what: cpuTimeUsed, over: "a", under: "b", want: 0.4, lowerIsBetter: true}.of(turns)
	if cpu.Median != 0.5 || cpu.Lowest != 0.5 || cpu.Most != 1.5 || cpu.Target.Reached {
		t.Errorf("CPU: %+v %+v", cpu.spreadOf, *cpu.Target)
	}
}
