package spool

import "golang.org/x/sys/unix"

// roomOn asks fstatfs(2), which counts in fragments and in an old kernel in blocks.
func roomOn(dir int) (Room, error) {
	var st unix.Statfs_t
	err := again(func() error { return unix.Fstatfs(dir, &st) })
	unit := int64(st.Frsize)
	if unit == 0 {
		unit = int64(st.Bsize)
	}
	return Room{
		Bytes:         int64(st.Bavail) * unit,
		Inodes:        int64(st.Ffree),
		InodesLimited: st.Files > 0,
	}, err
}
