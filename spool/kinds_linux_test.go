package spool_test

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// mknod makes a device node: the one of /dev/zero, which never ends.
func mknod(t *testing.T, path, _ string) error {
	err := unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 5)))
	if err == unix.EPERM {
		return fmt.Errorf("%w: making device nodes needs root: %v", errNotHere, err)
	}
	return err
}
