package spool

import "golang.org/x/sys/unix"

// roomOn asks fstatfs(2), whose fields have names of their own here.
func roomOn(dir int) (Room, error) {
	var st unix.Statfs_t
	err := again(func() error { return unix.Fstatfs(dir, &st) })
	return Room{
		Bytes:         max(st.F_bavail, 0) * int64(st.F_bsize),
		Inodes:        max(st.F_favail, 0),
		InodesLimited: st.F_files > 0,
	}, err
}
