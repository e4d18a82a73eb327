package spool

import "golang.org/x/sys/unix"

// roomOn asks fstatvfs(2), which counts in fragments.
func roomOn(dir int) (Room, error) {
	var st unix.Statvfs_t
	err := again(func() error { return unix.Fstatvfs(dir, &st) })
	return Room{
		Bytes:         int64(st.Bavail) * int64(st.Frsize),
		Inodes:        int64(st.Favail),
		InodesLimited: st.Files > 0,
	}, err
}
