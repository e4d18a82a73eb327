package drain_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// mixed is a world with an array file of which a run has deferred d1, d2 and d3,
// and the breaker opened before it came to n1 and n2. The next run takes those
// first and then the deferred ones.
func mixed(t *testing.T) (w *world, path string) {
	t.Helper()
	w = newWorld(t)
	w.breaker.FailureThreshold = 3
	w.write("a.json", `["d1","d2","d3","n1","n2"]`, time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return fails(500) }
	equal(t, "failed in the first run", w.run().Failed, 3)
	w.listener.bodies()
	w.now = w.now.Add(time.Hour)
	w.breaker.FailureThreshold = 50
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	return w, filepath.Join(w.dir, "a.json")
}

func (w *world) undeletable() int {
	w.t.Helper()
	index, err := drain.PeekIndex(filepath.Join(w.stateDir, "central_listener.index"))
	if err != nil {
		w.t.Error(err)
	}
	return index.Undeletable()
}

func TestAnArrayFileWithTwoTurnsIsRewrittenOnce(t *testing.T) {
	w, path := mixed(t)
	before := stat(t, path)
	var between os.FileInfo
	w.listener.answer = func(body string) transmit.Verdict {
		switch body {
		case `"n1"`, `"n2"`:
			if !os.SameFile(before, stat(t, path)) {
				t.Errorf("%s found the file rewritten", body)
			}
		case `"d1"`:
			between = stat(t, path)
		case `"d2"`:
			return fails(500)
		case `"d3"`:
			return refuses(400)
		}
		return ok()
	}
	r := w.run()
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `"n1" "n2" "d1" "d2" "d3"`)
	equal(t, "faults", len(r.Faults), 0)
	if os.SameFile(before, between) || !os.SameFile(between, stat(t, path)) {
		t.Error("the file was not rewritten just once, between its turns")
	}
	equal(t, "left", w.read("a.json"), `["d1","d2","d3"]`)
	equal(t, "files that cannot be removed", w.undeletable(), 0)

	for range 2 { // d2 fails once more, and is delivered then
		w.now = w.now.Add(time.Hour)
		w.run()
		equal(t, "sent", strings.Join(w.listener.bodies(), " "), `"d2"`)
		w.listener.answer = func(string) transmit.Verdict { return ok() }
	}
	equal(t, "files left", len(w.names()), 0)
	equal(t, "rejected", len(w.rejected()), 1)
}

// What the second turn has settled of a file that is another by then says nothing
// of what it holds now.
func TestAFileThatChangesInItsSecondTurnStays(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		change                  func(path string) error
		changed, vanished, left int
	}{
		{"by another array", func(path string) error { return os.WriteFile(path, []byte(`["d1"]`), 0o600) }, 1, 0, 1},
		{"by nothing", os.Remove, 0, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, path := mixed(t)
			w.listener.answer = func(body string) transmit.Verdict {
				if body != `"d2"` {
					return ok()
				}
				if err := tt.change(path); err != nil {
					t.Error(err)
				}
				return fails(500)
			}
			r := w.run()
			equal(t, "changed", r.Changed, tt.changed)
			equal(t, "vanished", r.Vanished, tt.vanished)
			equal(t, "left, as reported", r.Left, tt.left)
			w.listener.bodies()
			w.now = w.now.Add(time.Hour)
			w.run()
			equal(t, "sent in the next run", len(w.listener.bodies()), tt.left)
			equal(t, "files left", len(w.names()), 0)
		})
	}
}

// An index that is kept in memory lasts as long as whoever holds it, which is no
// reason to leave items in their files.
func TestAnIndexThatIsNeverSavedHasFilesRewritten(t *testing.T) {
	w, _ := mixed(t)
	s, err := spool.Open(spool.Config{Dir: w.dir, MachineID: "machine"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := drain.Config{Spool: s, Index: &drain.Index{}, Breaker: always{}, Transmitter: &w.listener,
		Now: func() time.Time { return w.now }, Concurrency: 1, MaxItems: 3}
	for _, want := range []struct{ bad, sent, left string }{
		{`"d`, `"d1" "d2" "d3"`, `["d1","d2","d3","n1","n2"]`},
		{`"d2"`, `"n1" "n2" "d1" "d2" "d3"`, `["d2"]`},
		{`"none"`, `"d2"`, ``},
	} {
		w.listener.answer = func(body string) transmit.Verdict {
			if strings.HasPrefix(body, want.bad) {
				return fails(500)
			}
			return ok()
		}
		if _, err := drain.Run(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		c.MaxItems = 0
		equal(t, "sent", strings.Join(w.listener.bodies(), " "), want.sent)
		if want.left != "" {
			equal(t, "left", w.read("a.json"), want.left)
		}
	}
	equal(t, "files left", len(w.names()), 0)
}

// always is a breaker that never opens.
type always struct{}

func (always) Available(time.Time) bool                     { return true }
func (always) RecordSuccess(time.Time) error                { return nil }
func (always) RecordFailure(time.Time, time.Duration) error { return nil }

// What is in rejected/ is not sent again because its file could not be rewritten.
func TestAnItemThatWasRejectedAndCouldNotBeCutOutIsNotSentAgain(t *testing.T) {
	w, _ := mixed(t)
	w.write("0.json", `"first"`, 2*time.Hour) // closes the breaker
	unlock := func() {}
	w.listener.answer = func(body string) transmit.Verdict {
		switch body {
		case `"n1"`:
			return refuses(400)
		case `"n2"`:
			locked := false
			if unlock, locked = lockDir(t, w.dir); !locked {
				t.Skip("this user cannot be kept from writing to a directory here")
			}
		}
		return ok()
	}
	r := w.run()
	unlock()
	equal(t, "rejected", r.Rejected, 1)
	equal(t, "faults", len(r.Faults), 1)
	equal(t, "left", w.read("a.json"), `["d1","d2","d3","n1","n2"]`)
	w.listener.bodies()
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	w.now = w.now.Add(time.Hour)
	w.run()
	equal(t, "sent in the next run", strings.Join(w.listener.bodies(), " "), `"d1" "d2" "d3"`)
	equal(t, "files left", len(w.names()), 0)
	equal(t, "rejected", len(w.rejected()), 1)
}

// A rewrite more is better than an item that is sent again.
func TestAFileIsRewrittenTwiceWhenTheIndexCannotBeSaved(t *testing.T) {
	w, _ := mixed(t)
	index := filepath.Join(w.stateDir, "central_listener.index")
	w.listener.answer = func(body string) transmit.Verdict {
		if body == `"d2"` {
			if err := errors.Join(os.Remove(index), os.Mkdir(index, 0o700)); err != nil {
				t.Error(err)
			}
			return fails(500)
		}
		return ok()
	}
	r := w.run()
	equal(t, "faults", len(r.Faults), 2) // and once more at the end of the run
	equal(t, "left", w.read("a.json"), `["d2"]`)
}

func TestAFileHasNoSecondTurnOnceItIsGoneOrAnother(t *testing.T) {
	for _, tt := range []struct {
		name           string
		holds          string                  // other than what the index knows
		first          func(path string) error // when the first item is sent
		sent           string
		vanished, left int
	}{
		{"taken away before its first turn", "", os.Remove, `"z" "last"`, 1, 0},
		{"an object now", `{"n":1}`, nil, `"z" "last" {"n":1}`, 0, 1},
		{"another array now, and delivered", `["m"]`, nil, `"z" "last" "m"`, 0, 0},
		{"a symbolic link before its first turn", "", func(path string) error { return errors.Join(os.Remove(path), os.Symlink("z", path)) }, `"z" "last"`, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, path := mixed(t)
			if tt.holds != "" {
				w.write("a.json", tt.holds, -2*time.Hour)
			}
			w.write("0.json", `"z"`, 3*time.Hour)
			w.write("z.json", `"last"`, -time.Hour)
			w.listener.answer = func(body string) transmit.Verdict {
				if body == `"z"` && tt.first != nil {
					if err := tt.first(path); err != nil {
						t.Error(err)
					}
				}
				if body == `{"n":1}` {
					return fails(500)
				}
				return ok()
			}
			r := w.run()
			equal(t, "sent", strings.Join(w.listener.bodies(), " "), tt.sent)
			equal(t, "vanished", r.Vanished, tt.vanished)
			equal(t, "left", r.Left, tt.left)
		})
	}
}

// One that was deferred goes in its own turn, also when an equal one before it has
// made way.
func TestADeferredTwinWaitsForItsTurn(t *testing.T) {
	w := newWorld(t)
	w.breaker.FailureThreshold = 50
	w.write("a.json", `["A","B"]`, time.Hour)
	w.listener.answer = func(body string) transmit.Verdict {
		if body == `"A"` {
			return fails(500)
		}
		return down()
	}
	w.run()
	w.listener.bodies()
	w.now = w.now.Add(time.Hour)
	w.write("a.json", `["A","A","B"]`, time.Hour) // the last A is the one that was deferred
	n := 0
	w.listener.answer = func(string) transmit.Verdict {
		if n++; n == 2 {
			return down()
		}
		return ok()
	}
	w.run()
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `"A" "B" "A"`)
	w.now = w.now.Add(time.Hour)
	w.run()
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `"B"`)
	equal(t, "files left", len(w.names()), 0)
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
