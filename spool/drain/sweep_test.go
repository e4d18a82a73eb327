package drain_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Save that was killed leaves its temporary file; should no later run have anything to save, it
// must go all the same.
func TestARunSweepsWhatAKilledSaveOfTheIndexLeft(t *testing.T) {
	w := newWorld(t)
	left := filepath.Join(w.stateDir, "central_listener.index1234567")
	others := []string{"central_listener.index.bak", "central_listener.index12x", "other.index123"}
	for _, name := range append(others, filepath.Base(left)) {
		if err := os.WriteFile(filepath.Join(w.stateDir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.writeMany("a", 1, 0)
	w.run()
	if _, err := os.Lstat(left); !os.IsNotExist(err) {
		t.Errorf("the temporary file of a killed save is still there: %v", err)
	}
	for _, name := range others {
		if _, err := os.Lstat(filepath.Join(w.stateDir, name)); err != nil {
			t.Errorf("a file that is none of the index's temporaries was touched: %v", err)
		}
	}
}

// A payload that somebody moves out of rejected/ with its reason is known to have failed: it goes
// last, and is rejected again by the next failure instead of ten later ones.
func TestAPayloadMovedBackByHandKeepsItsHistory(t *testing.T) {
	w := newWorld(t)
	w.listener.answer = poison
	w.writeMany("bad", 1, 2*time.Hour)
	for n := 0; len(w.rejected()) == 0; n++ {
		if n == 20 {
			t.Fatal("it is never rejected")
		}
		w.write("fresh.json", fmt.Sprintf(`{"fresh":%d}`, n), time.Second)
		w.run()
		w.now = w.now.Add(time.Minute)
	}
	for _, suffix := range []string{"", ".reason.json"} {
		name := "bad0000.json" + suffix
		if err := os.Rename(filepath.Join(w.dir, "rejected", name), filepath.Join(w.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	w.write("fresh.json", `{"fresh":"last"}`, time.Second)
	w.listener.bodies()
	w.run()
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `{"fresh":"last"} {"bad":0}`)
	equal(t, "rejected", strings.Join(w.rejected(), " "), "bad0000.json")
	equal(t, "in the spool", strings.Join(w.names(), " "), "")
	if reason := w.read("rejected/bad0000.json.reason.json"); !strings.Contains(reason, `"attempts": 11`) {
		t.Errorf("the history is lost: %s", reason)
	}
	if _, err := os.Lstat(filepath.Join(w.dir, "bad0000.json.reason.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the reason is still in the spool: %v", err)
	}
}
