package main

import "golang.org/x/sys/unix"

// diskFreeOf asks statvfs(2), which counts in fragments.
func diskFreeOf(dir string) (diskFree, error) {
	var st unix.Statvfs_t
	if err := unix.Statvfs(dir, &st); err != nil {
		return diskFree{}, err
	}
	return diskFree{
		bytes:   int64(st.Bavail) * int64(st.Frsize),
		inodes:  int64(st.Favail),
		limited: st.Files > 0,
	}, nil
}
