//go:build unix && !linux

package drain_test

import (
	"os"
	"testing"
)

// lockDir makes every removal and rename in a directory fail until unlock is called. Nothing holds
// root back.
func lockDir(t *testing.T, dir string) (unlock func(), ok bool) {
	t.Helper()
	if os.Geteuid() == 0 {
		return nil, false
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Error(err)
		}
	}, true
}
