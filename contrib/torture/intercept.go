//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// action is what is done with an intercepted call. The zero action lets it pass.
type action struct {
	kill bool       // SIGKILL before the call does anything
	fail unix.Errno // the call does nothing and returns this
}

// interceptor decides about each interceptable call of a process. It makes one decision at a time,
// in the order in which the kernel hands calls over, from whatever thread they come. That gives
// "the 17th call" a meaning in a program that moves between threads.
type interceptor struct {
	root   string // the environment's directory
	decide func(c *call) action
}

// serve answers notifications until the last process under the filter is gone.
func (i *interceptor) serve(fd int, process *os.Process) {
	defer unix.Close(fd)
	calls := map[int32]syscallInfo{}
	for _, info := range interceptable() {
		calls[int32(info.nr)] = info
	}
	for {
		events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(events, -1); err != nil {
			if errors.Is(err, unix.EINTR) {
				continue
			}
			return
		}
		if events[0].Revents&unix.POLLIN == 0 {
			return // POLLHUP: no process is left under the filter
		}
		var n notification
		if ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) != nil {
			continue // the thread was killed meanwhile
		}
		a := i.decide(describe(calls[n.nr], &n, i.root))
		if a.kill {
			process.Kill()
			continue
		}
		r := reply{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if a.fail != 0 {
			r.errno, r.flags = -int32(a.fail), 0
		}
		_ = ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)) // fails when the thread was killed
	}
}

// receiveFD receives the descriptor of the notifications from the helper that installed the filter.
func receiveFD(socket int) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	text := make([]byte, 200)
	n, oobn, _, _, err := unix.Recvmsg(socket, text, oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) == 0 {
		return -1, fmt.Errorf("installing the seccomp filter: %s", text[:n])
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}
