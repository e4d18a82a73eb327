//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// helperMark as the first argument turns this program into the helper.
const helperMark = "@become"

// helperSocket is where the helper sends the filter's descriptor.
const helperSocket = 3

// helperTask is what the helper does to itself before it becomes another
// program, in this order. Only a process can do these things to itself.
type helperTask struct {
	Mounts    map[string]string // target: source; bind mounts that nobody else sees
	Intercept []int             // system calls to be notified of
	Path      string
	Args      []string
}

// become is the helper. It returns only when it fails.
func become(text string) error {
	var task helperTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return err
	}
	// Filter and namespace belong to a thread, and the one that calls execve is
	// the one that is left.
	runtime.LockOSThread()
	if len(task.Mounts) > 0 {
		if err := bindPrivately(task.Mounts); err != nil {
			return err
		}
	}
	if len(task.Intercept) > 0 {
		unix.CloseOnExec(helperSocket)
		fd, err := installFilter(task.Intercept)
		if err != nil {
			unix.Sendmsg(helperSocket, []byte(err.Error()), nil, nil, 0)
			return err
		}
		// From here to execve this thread makes no call that is in the
		// filter: nobody would answer.
		if err := unix.Sendmsg(helperSocket, []byte("ok"), unix.UnixRights(fd), nil, 0); err != nil {
			return err
		}
	}
	return syscall.Exec(task.Path, task.Args, os.Environ())
}

// bindPrivately mounts in a namespace of its own, so that nothing is left to
// clean up.
func bindPrivately(mounts map[string]string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("make mounts private", err)
	}
	for target, source := range mounts {
		if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
			return &os.PathError{Op: "bind mount", Path: target, Err: err}
		}
	}
	return nil
}
