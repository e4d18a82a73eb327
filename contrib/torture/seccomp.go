//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notification is struct seccomp_notif of seccomp_unotify(2): a thread waits before a system call.
type notification struct {
	id    uint64
	tid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// reply is struct seccomp_notif_resp.
type reply struct {
	id    uint64
	value int64
	errno int32 // negative
	flags uint32
}

func ioctl(fd int, request uint, argument unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(argument))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return errno
	}
}

// filterFor is the program that the kernel runs before each system call: the calls in numbers are
// notified, all others go on as if there were no filter.
func filterFor(numbers []int) []unix.SockFilter {
	const (
		load    = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		result  = unix.BPF_RET | unix.BPF_K
		nrAt    = 0 // struct seccomp_data
		archAt  = 4
		allowed = unix.SECCOMP_RET_ALLOW
	)
	filter := []unix.SockFilter{
		{Code: load, K: archAt},
		{Code: equal, K: auditArch, Jt: 1},
		{Code: result, K: allowed},
		{Code: load, K: nrAt},
	}
	for i, nr := range numbers {
		filter = append(filter, unix.SockFilter{Code: equal, K: uint32(nr), Jt: uint8(len(numbers) - i)})
	}
	return append(filter,
		unix.SockFilter{Code: result, K: allowed},
		unix.SockFilter{Code: result, K: unix.SECCOMP_RET_USER_NOTIF})
}

// installFilter puts the calling thread under the filter and returns the descriptor of the
// notifications. The filter survives execve(2).
//
// Where the kernel knows WAIT_KILLABLE_RECV (5.19), signals do not wake a thread whose notification
// is being handled. Go's runtime sends itself many signals, and an interrupted call would be
// notified, and counted, twice.
func installFilter(numbers []int) (int, error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return -1, err
	}
	filter := filterFor(numbers)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	install := func(flags uintptr) (int, error) {
		fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
		if errno != 0 {
			return -1, errno
		}
		return int(fd), nil
	}
	fd, err := install(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
	if errors.Is(err, unix.EINVAL) {
		fd, err = install(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)
	}
	return fd, err
}
