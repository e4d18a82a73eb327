//go:build linux && (amd64 || arm64)

package main

import "golang.org/x/sys/unix"

// syscallInfo says which arguments of a system call name a file: a descriptor, or a directory and a
// path in it.
type syscallInfo struct {
	nr   int
	name string
	fd   int // argument; -1: none
	path int // argument, after that of its directory; -1: none
	to   int // the second path of a rename or link; -1: none
}

// interceptable returns every system call by which the product reads or changes files and
// connections. It includes calls that change nothing: they can fail too, and other programs can
// change files between any two calls. It does not include the calls of Go's runtime about memory,
// threads and polling, which have no file and without which no program runs; nor sendmsg, by which
// the helper hands over the filter, and which the product does not use.
func interceptable() []syscallInfo {
	byFD := func(nr int, name string) syscallInfo { return syscallInfo{nr: nr, name: name, fd: 0, path: -1, to: -1} }
	byPath := func(nr int, name string) syscallInfo { return syscallInfo{nr: nr, name: name, fd: -1, path: 1, to: -1} }
	byTwo := func(nr int, name string) syscallInfo { return syscallInfo{nr: nr, name: name, fd: -1, path: 1, to: 3} }
	return []syscallInfo{
		byPath(unix.SYS_OPENAT, "openat"),
		byPath(unix.SYS_UNLINKAT, "unlinkat"),
		byPath(unix.SYS_MKDIRAT, "mkdirat"),
		byPath(unix.SYS_UTIMENSAT, "utimensat"),
		byPath(unix.SYS_FCHMODAT, "fchmodat"),
		byPath(unix.SYS_FACCESSAT, "faccessat"),
		byPath(unix.SYS_FACCESSAT2, "faccessat2"),
		byPath(sysFstatat, "newfstatat"),
		byTwo(unix.SYS_RENAMEAT, "renameat"),
		byTwo(unix.SYS_RENAMEAT2, "renameat2"),
		byTwo(unix.SYS_LINKAT, "linkat"),
		byFD(unix.SYS_CLOSE, "close"),
		byFD(unix.SYS_READ, "read"),
		byFD(unix.SYS_WRITE, "write"),
		byFD(unix.SYS_WRITEV, "writev"),
		byFD(unix.SYS_PWRITE64, "pwrite64"),
		byFD(unix.SYS_SENDTO, "sendto"),
		byFD(unix.SYS_FSYNC, "fsync"),
		byFD(unix.SYS_FDATASYNC, "fdatasync"),
		byFD(unix.SYS_FTRUNCATE, "ftruncate"),
		byFD(unix.SYS_FALLOCATE, "fallocate"),
		byFD(unix.SYS_FCHMOD, "fchmod"),
		byFD(unix.SYS_FCHOWN, "fchown"),
		byFD(unix.SYS_FSTAT, "fstat"),
		byFD(unix.SYS_FLOCK, "flock"),
		byFD(unix.SYS_GETDENTS64, "getdents64"),
		byFD(unix.SYS_CONNECT, "connect"),
		{nr: unix.SYS_SOCKET, name: "socket", fd: -1, path: -1, to: -1},
	}
}

// changes reports whether a call may change something on the disk or on the wire. The process is
// killed before each of these. Reading is among them: between a request and its answer there is no
// other call.
func changes(name string) bool {
	switch name {
	case "newfstatat", "fstat", "faccessat", "faccessat2", "getdents64":
		return false
	}
	return true
}
