package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// FuzzConfiguration reads arbitrary bytes as a configuration file: either every
// problem has a code and a sentence, or every value is one that a run can use.
func FuzzConfiguration(f *testing.F) {
	f.Add([]byte("url = \"http://localhost/\"\nretry-timeout = 60\nheader = [\"A: b\"]\n"))
	f.Add([]byte("retry-timeout = \"1m30s\"\nmax-file-size = \"16MiB\"\nraw = true\n"))
	f.Add([]byte("retry-timout = 1\n[table]\nurl = 1\n"))
	f.Add([]byte("url = \"http://user:secret@host/?token=secret\"\n"))
	f.Add([]byte("concurrency = -1\nfailure-threshold = 0\n"))
	f.Add([]byte("= \x00"))
	dir, err := os.MkdirTemp("/dev/shm", "spoolfwd-fuzz-") // in memory: thousands of times a second
	if err != nil {
		dir = f.TempDir()
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "spoolfwd.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c := newConfig()
		err := c.resolve(map[string][]string{"config": {path}}, Env{})
		if err != nil {
			if code := exit.Of(err); code != exit.Config && code != exit.Usage {
				t.Errorf("a bad configuration ends with %d: %v", code, err)
			}
			return
		}
		if c.Timeout <= 0 || c.RetryTimeout <= 0 || c.FailureThreshold <= 0 || c.Concurrency <= 0 || c.MaxFileSize <= 0 {
			t.Errorf("a configuration without a problem has unusable values: %+v", c.values)
		}
	})
}
