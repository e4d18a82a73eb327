package drain_test

import (
	"os"
	"path/filepath"
	"testing"
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
