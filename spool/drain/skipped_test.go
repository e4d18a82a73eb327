package drain_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

func (w *world) junk(names ...string) {
	w.t.Helper()
	for _, name := range names {
		if err := os.Symlink("/etc/passwd", filepath.Join(w.dir, name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// A stray link that nobody removes is told to somebody once, not every minute.
func TestASkippedEntryIsNewInOneRunOnly(t *testing.T) {
	w := newWorld(t)
	run := func(what string, skipped, news int) {
		t.Helper()
		w.writeMany("x", 1, time.Hour)
		r := w.run()
		equal(t, what+": skipped", r.Skipped.Count, skipped)
		equal(t, what+": news", r.NewlySkipped, news)
	}
	w.junk("a.json")
	run("the first time", 1, 1)
	run("the second time", 1, 0)
	w.junk("b.json", "c.json")
	run("with two more", 3, 2)
	run("with the same two", 3, 0)
	if err := os.Remove(filepath.Join(w.dir, "a.json")); err != nil {
		t.Fatal(err)
	}
	run("with one less", 2, 0)
	w.junk("a.json")
	run("with that one again", 3, 1)
	for _, name := range []string{"a.json", "b.json", "c.json"} {
		if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	run("without any", 0, 0)
	if got := names(t, w.stateDir); len(got) != 0 {
		t.Errorf("with nothing to remember there is still %q", got)
	}
}

// A run that ends early has not seen everything. Entries that it has not seen are not gone.
func TestAnInterruptedRunForgetsNoSkippedEntry(t *testing.T) {
	w := newWorld(t)
	w.junk("a.json")
	if os.Geteuid() != 0 { // root reads everything
		w.write("unreadable.json", "{}", 0)
		if err := os.Chmod(filepath.Join(w.dir, "unreadable.json"), 0); err != nil {
			t.Fatal(err)
		}
	}
	w.writeMany("x", 2, time.Hour)
	want := w.run().Skipped.Count
	w.config.MaxItems = 1
	w.writeMany("x", 2, time.Hour)
	r := w.run()
	equal(t, "stop", r.Stop, drain.Limit)
	w.config.MaxItems = 0
	r = w.run()
	equal(t, "skipped", r.Skipped.Count, want)
	equal(t, "news", r.NewlySkipped, 0)
}

func TestASkippedEntryIsNotNewAgainWhileTheBreakerIsOpen(t *testing.T) {
	w := newWorld(t)
	w.junk("a.json")
	w.writeMany("x", 1, time.Hour)
	w.breaker.FailureThreshold = 1
	w.listener.answer = func(string) transmit.Verdict { return fails(500) }
	equal(t, "news of the run that opens the breaker", w.run().NewlySkipped, 1)
	w.config.Count = true
	w.junk("b.json")
	equal(t, "news of the next", w.run().NewlySkipped, 1)
	equal(t, "news of the one after", w.run().NewlySkipped, 0)
}
