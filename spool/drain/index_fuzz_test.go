package drain

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzIndex opens arbitrary bytes as an index. That never fails a run. The entries that were
// understood are understood again after a save.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"version":1,"files":{"a.json":{"failed":{"k":{"attempts":2,"counted":1,"first":"2026-01-02T03:04:05Z","last":"2026-01-02T03:04:05Z","status":500}},"others":true}}}`))
	f.Add([]byte(`{"version":1,"files":{"b.json":{"delivered":["k","l"]},"\"\\xff\"":{"delivered":["m"]}},"skipped":["ff"]}`))
	f.Add([]byte(`{"version":1,"files":{"x":null,"y":{},"z":{"failed":{"k":{"attempts":-1}}}}}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(``))
	f.Add([]byte("\x00\x00"))
	dir, err := os.MkdirTemp("/dev/shm", "spoolfwd-fuzz-") // in memory: thousands of times a second
	if err != nil {
		dir = f.TempDir()
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "x.index")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := OpenIndex(path)
		if x == nil {
			t.Fatalf("no index at all: %v", err)
		}
		x.dirty = true
		if err := x.Save(); err != nil {
			t.Fatalf("what was read cannot be saved: %v", err)
		}
		again, err := OpenIndex(path)
		if err != nil {
			t.Fatalf("what was saved cannot be read: %v", err)
		}
		if again.Deferred() != x.Deferred() || again.Undeletable() != x.Undeletable() || len(again.files) != len(x.files) {
			t.Errorf("%d deferred, %d undeletable, %d files became %d, %d, %d",
				x.Deferred(), x.Undeletable(), len(x.files), again.Deferred(), again.Undeletable(), len(again.files))
		}
	})
}
