package drain_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A producer that keeps its file open is not done with it.
func TestAPayloadFileThatIsBeingWrittenDoesNotExpire(t *testing.T) {
	w := newWorld(t)
	w.now = time.Now()
	w.writeMany("a", 2, time.Minute)
	f, err := os.OpenFile(filepath.Join(w.dir, "a0000.json"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w.config.MaxSpoolFiles = 1
	equal(t, "expired", w.run().Expired.Files, 1)
	if got := w.rejectedNames(); !slices.Equal(got, []string{"a0001.json"}) {
		t.Errorf("in rejected/ are %q, want the file that is not being written", got)
	}
}
