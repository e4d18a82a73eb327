//go:build darwin || freebsd || dragonfly

package spool

import "golang.org/x/sys/unix"

// roomOn asks fstatfs(2). Among these systems the fields' types differ, and on FreeBSD the
// available room falls below 0 when root has used the reserve.
func roomOn(dir int) (Room, error) {
	var st unix.Statfs_t
	err := again(func() error { return unix.Fstatfs(dir, &st) })
	return Room{
		Bytes:         max(int64(st.Bavail), 0) * int64(st.Bsize),
		Inodes:        max(int64(st.Ffree), 0),
		InodesLimited: st.Files > 0,
	}, err
}
