//go:build !linux

package breaker

import (
	"os"
	"testing"
)

// makeUnwritable lets nothing be created, renamed or removed in dir.
func makeUnwritable(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("root can write to every directory here; on Linux a read-only mount is used")
	}
	mustDo(t, "Chmod", os.Chmod(dir, 0o500))
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
}
