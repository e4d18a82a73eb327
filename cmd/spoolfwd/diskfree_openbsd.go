package main

import "golang.org/x/sys/unix"

// diskFreeOf asks statfs(2), whose fields have names of their own here.
func diskFreeOf(dir string) (diskFree, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return diskFree{}, err
	}
	return diskFree{
		bytes:   max(st.F_bavail, 0) * int64(st.F_bsize),
		inodes:  max(st.F_favail, 0),
		limited: st.F_files > 0,
	}, nil
}
