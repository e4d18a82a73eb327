package spool

import (
	"time"

	"golang.org/x/sys/unix"
)

// isOurs reports whether nobody else has a file open, and so nobody has it locked either: a write
// lease on it can be had (fcntl(2), F_SETLEASE). That is one system call instead of two for a file
// that waits for nobody. A no says nothing.
//
// Until fd is closed, others wait to open the file even for reading. Those that do not wait
// (open(2), O_NONBLOCK), as a run and a dry run, are refused.
func isOurs(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_WRLCK)
	return err == nil
}

// isOpenForWriting reports whether somebody has a file open for writing: a read lease on it cannot
// be had then (fcntl(2), F_SETLEASE). Every other refusal means that leases say nothing here: the
// file is another user's, the file system has none, the administrator has turned them off.
//
// A lease ends when fd is closed. A producer that opens the file before that waits for it, and the
// kernel sends this process a SIGIO, which a Go program ignores unless it asked for it
// (os/signal).
func isOpenForWriting(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	return err == unix.EAGAIN && !isOnServer(fd)
}

// isLocal reports whether a file is on a file system that no other machine and no other program
// has a part in. On any other, the lease may be this machine's own while a lock is known to all:
// FUSE gives leases and passes locks on.
func isLocal(fd int) bool {
	var fs unix.Statfs_t
	err := again(func() error { return unix.Fstatfs(fd, &fs) })
	return err == nil && isMachines(int64(fs.Type))
}

// isMachines knows the usual local file systems by their number.
func isMachines(magic int64) bool {
	switch uint32(magic) { // 32-bit machines make some of them negative
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC:
		return true
	}
	return false
}

// isOnServer reports whether a file is on a file server.
func isOnServer(fd int) bool {
	var fs unix.Statfs_t
	err := again(func() error { return unix.Fstatfs(fd, &fs) })
	return err == nil && isServers(int64(fs.Type))
}

// isServers knows the file systems, by their number, whose client refuses a lease with EAGAIN
// whenever the server has not delegated the file. That speaks of no writer.
func isServers(magic int64) bool {
	switch uint32(magic) { // 32-bit machines make some of them negative
	case unix.NFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.SMB_SUPER_MAGIC:
		return true
	}
	return false
}

// madeAt returns when an open file was made, if its file system keeps that.
func madeAt(fd int) (made time.Time, ok bool) {
	var st unix.Statx_t
	if unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &st) != nil || st.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}, false
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)), true
}
