package drain_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

func TestAnArrayFileWithTwoTurnsIsRewrittenOnce(t *testing.T) {
	w, path := mixed(t)
	before := stat(t, path)
	w.listener.answer = func(body string) transmit.Verdict {
		if !os.SameFile(before, stat(t, path)) {
			t.Errorf("%s found the file rewritten", body)
		}
		if body == `"d2"` || body == `"n2"` {
			return fails(500)
		}
		return ok()
	}
	r := w.run()
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `"n1" "n2" "d1" "d2" "d3"`)
	equal(t, "left", w.read("a.json"), `["d2","n2"]`)
	equal(t, "delivered", r.Delivered, 3)

	w.listener.answer = func(string) transmit.Verdict { return ok() }
	w.now = w.now.Add(time.Hour)
	w.run()
	equal(t, "sent in the end", strings.Join(w.listener.bodies(), " "), `"n2" "d2"`)
	equal(t, "files left", len(w.names()), 0)
}

func TestAFileWhoseSecondTurnNeverComesIsRewrittenAtTheEndOfTheRun(t *testing.T) {
	w, _ := mixed(t)
	w.config.MaxItems = 2
	r := w.run()
	equal(t, "end of the run", r.Stop, drain.Limit)
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `"n1" "n2"`)
	equal(t, "left", w.read("a.json"), `["d1","d2","d3"]`)
}

func TestAFileThatChangesBetweenItsTurnsStays(t *testing.T) {
	for _, tt := range []struct {
		name                             string
		change                           func(path string) error
		keeps                            string
		changed, vanished, skipped, left int
	}{
		{"by another array", func(path string) error { return os.WriteFile(path, []byte(`["new",1]`), 0o600) }, `["new",1]`, 1, 0, 0, 1},
		{"by an object", func(path string) error { return os.WriteFile(path, []byte(`{}`), 0o600) }, `{}`, 1, 0, 0, 1},
		{"by a symbolic link", func(path string) error { return errors.Join(os.Remove(path), os.Symlink("z", path)) }, "", 0, 0, 1, 0},
		{"by nothing", os.Remove, "", 0, 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, path := mixed(t)
			w.write("z.json", `"last"`, time.Minute)
			w.listener.answer = func(body string) transmit.Verdict {
				if body == `"last"` {
					if err := tt.change(path); err != nil {
						t.Error(err)
					}
				}
				return ok()
			}
			r := w.run()
			equal(t, "sent", strings.Join(w.listener.bodies(), " "), `"n1" "n2" "last"`)
			if tt.keeps != "" {
				equal(t, "what is left", w.read("a.json"), tt.keeps)
			}
			equal(t, "changed", r.Changed, tt.changed)
			equal(t, "vanished", r.Vanished, tt.vanished)
			equal(t, "skipped", r.Skipped.Count, tt.skipped)
			equal(t, "left, as reported", r.Left, tt.left)
			equal(t, "left", len(w.names()), 1-tt.vanished)
		})
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
