//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// helperMark as the first argument turns this program into the helper.
const helperMark = "@become"

// helperSocket is where the helper sends the filter's descriptor.
const helperSocket = 3

// helperTask is what the helper does to itself, in this order, before it becomes another program.
// Only a process can do these things to itself.
type helperTask struct {
	Hostname  string // "": none; otherwise the process has no machine id
	Intercept []int  // system calls to be notified of
	Path      string
	Args      []string
}

// become is the helper. It returns only when it fails.
func become(text string) error {
	var task helperTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return err
	}
	// Filter and namespace belong to a thread, and only the thread that calls execve is left.
	runtime.LockOSThread()
	if task.Hostname != "" {
		if err := errors.Join(unix.Unshare(unix.CLONE_NEWUTS), unix.Sethostname([]byte(task.Hostname))); err != nil {
			return os.NewSyscallError("sethostname", err)
		}
		if err := ownMounts(); err != nil {
			return err
		}
		for _, file := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
			if err := unix.Mount("/dev/null", file, "", unix.MS_BIND, ""); err != nil && !errors.Is(err, unix.ENOENT) {
				return &os.PathError{Op: "bind mount", Path: file, Err: err}
			}
		}
	}
	if len(task.Intercept) > 0 {
		unix.CloseOnExec(helperSocket)
		fd, err := installFilter(task.Intercept)
		if err != nil {
			unix.Sendmsg(helperSocket, []byte(err.Error()), nil, nil, 0)
			return err
		}
		// From here to execve this thread must make no call that is in the filter: until then
		// nothing answers.
		if err := unix.Sendmsg(helperSocket, []byte("ok"), unix.UnixRights(fd), nil, 0); err != nil {
			return err
		}
	}
	return syscall.Exec(task.Path, task.Args, os.Environ())
}

// ownMounts puts the calling thread into a mount namespace of its own. The mounts in it are gone
// with its last process, however that ends.
func ownMounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	return os.NewSyscallError("make mounts private", unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

// inOwnMounts starts this program again with mounts of its own, if it may. With shared mounts, any
// program that makes itself a namespace meanwhile would get a copy of them, and a file system with
// a copy is not gone when it is unmounted: a power cut could not be played on it. It returns when
// that was done before, or cannot be done.
func inOwnMounts() {
	const done = "SPOOLFWD_TORTURE_MOUNTS=own"
	if os.Geteuid() != 0 || slices.Contains(os.Environ(), done) {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if ownMounts() == nil {
		_ = syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), done))
	}
}
