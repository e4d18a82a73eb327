package drain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// mixed is a world with an array file of which a run has deferred d1, d2 and d3, while another file
// was delivered, and has not come to n1 and n2.
func mixed(t *testing.T) (w *world, path string) {
	t.Helper()
	w = newWorld(t)
	w.breaker.FailureThreshold = 50
	w.write("a.json", `["d1","d2","d3","n1","n2"]`, time.Hour)
	for i := range 3 { // one after each failure
		w.write(fmt.Sprintf("passes%d.json", i), `"passes"`, time.Minute)
	}
	w.listener.answer = func(body string) transmit.Verdict {
		if strings.HasPrefix(body, `"d`) {
			return fails(500)
		}
		return ok()
	}
	w.config.MaxItems = 6
	equal(t, "failed in the first run", w.run().Failed, 3)
	w.config.MaxItems = 0
	w.listener.bodies()
	w.now = w.now.Add(time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	return w, filepath.Join(w.dir, "a.json")
}

func TestUntouchedItemsOfAnArrayFileGoBeforeItsDeferredOnes(t *testing.T) {
	w, path := mixed(t)
	before := stat(t, path)
	w.listener.answer = func(body string) transmit.Verdict {
		if !os.SameFile(before, stat(t, path)) {
			t.Errorf("%s found the file rewritten, which is to happen once, after its last item", body)
		}
		switch body {
		case `"d2"`:
			return fails(500)
		case `"d3"`:
			return refuses(400)
		}
		return ok()
	}
	r := w.run()
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `"n1" "n2" "d1" "d2" "d3"`)
	equal(t, "errors of this machine", len(r.LocalErrors), 0)
	equal(t, "left", w.read("a.json"), `["d2"]`)
	equal(t, "rejected", len(w.rejected()), 1)

	w.write("b.json", `"younger"`, 0)
	w.now = w.now.Add(time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	w.run()
	equal(t, "sent once all that is left of the file is deferred", strings.Join(w.listener.bodies(), " "), `"younger" "d2"`)
	equal(t, "files left", len(w.names()), 0)
}

func TestAnArrayFileThatChangesWhileItIsSentStays(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		change                  func(path string) error
		changed, vanished, left int
	}{
		{"into another array", func(path string) error { return os.WriteFile(path, []byte(`["d1"]`), 0o600) }, 1, 0, 1},
		{"into nothing", os.Remove, 0, 1, 0},
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

// always is a breaker that never opens.
type always struct{}

func (always) Available(time.Time) bool                     { return true }
func (always) Failures() int                                { return 0 }
func (always) FailureThreshold() int                        { return 5 }
func (always) RecordSuccess(time.Time) error                { return nil }
func (always) RecordFailure(time.Time, time.Duration) error { return nil }

// An item in rejected/ must not be sent again because its file could not be rewritten.
func TestAnItemThatWasRejectedAndCouldNotBeCutOutIsNotSentAgain(t *testing.T) {
	w, _ := mixed(t)
	w.write("0.json", `"first"`, 2*time.Hour) // closes the breaker
	unlock := func() {}
	w.config.MaxItems = 3
	w.listener.answer = func(body string) transmit.Verdict {
		switch body {
		case `"n1"`:
			return refuses(400)
		case `"n2"`:
			locked := false
			if unlock, locked = lockDir(t, w.dir); !locked {
				need.Refused(t, "this user cannot be kept from writing to a directory here")
			}
		}
		return ok()
	}
	r := w.run()
	unlock()
	equal(t, "rejected", r.Rejected, 1)
	equal(t, "errors of this machine", len(r.LocalErrors), 1)
	equal(t, "left", w.read("a.json"), `["d1","d2","d3","n1","n2"]`)
	w.listener.bodies()
	w.config.MaxItems = 0
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	w.now = w.now.Add(time.Hour)
	w.run()
	equal(t, "sent in the next run", strings.Join(w.listener.bodies(), " "), `"d1" "d2" "d3"`)
	equal(t, "files left", len(w.names()), 0)
	equal(t, "rejected", len(w.rejected()), 1)
}

// The listener has just taken the same bytes, so there is no reason to wait.
func TestADeferredItemFollowsAnEqualOneThatWasDelivered(t *testing.T) {
	w := newWorld(t)
	w.breaker.FailureThreshold = 50
	w.write("a.json", `["A","B"]`, time.Hour)
	w.write("passes.json", `"passes"`, time.Minute)
	w.listener.answer = func(body string) transmit.Verdict {
		switch body {
		case `"A"`:
			return fails(500)
		case `"B"`:
			return down()
		}
		return ok()
	}
	w.run()
	w.listener.bodies()
	w.now = w.now.Add(time.Hour)
	w.write("a.json", `["A","A","B","C"]`, time.Hour) // the last A is the one that was deferred
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	w.run()
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `"C" "A" "A" "B"`) // C first, since B has failed last
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
