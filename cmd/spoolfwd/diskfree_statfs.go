//go:build linux || darwin || freebsd || dragonfly

package main

import "golang.org/x/sys/unix"

// diskFreeOf asks statfs(2). Among these systems the fields' types differ, and
// on FreeBSD what is available falls below 0 when root has used the reserve.
func diskFreeOf(dir string) (diskFree, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return diskFree{}, err
	}
	return diskFree{
		bytes:   max(int64(st.Bavail), 0) * int64(st.Bsize),
		inodes:  max(int64(st.Ffree), 0),
		limited: st.Files > 0,
	}, nil
}
