package drain_test

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// lockDir makes every removal and rename in a directory fail, for the calling goroutine, until
// unlock is called by it. That a directory may not be written to does not hold root back
// (capabilities(7), CAP_DAC_OVERRIDE); but capabilities are a thread's, and a thread may do without
// them for a while.
func lockDir(t *testing.T, dir string) (unlock func(), ok bool) {
	t.Helper()
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var had [2]unix.CapUserData
	if err := unix.Capget(&header, &had[0]); err != nil {
		t.Fatal(err)
	}
	less := had
	less[0].Effective &^= 1 << unix.CAP_DAC_OVERRIDE
	if err := unix.Capset(&header, &less[0]); err != nil {
		t.Fatal(err)
	}
	unlock = func() {
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Error(err)
		}
		if err := unix.Capset(&header, &had[0]); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Error(err)
	}
	if unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK, unix.AT_EACCESS) == nil {
		unlock()
		return nil, false
	}
	return unlock, true
}
