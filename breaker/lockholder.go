package breaker

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Release releases the lock.
func (l *Lock) Release() {
	l.file.Unlock()
	if l.handle != nil {
		l.handle.Close()
	}
}

// Sign writes into the lock file who holds the lock. That serves messages only and nothing is
// decided by it, so a failure (a full disk) is ignored. Holders that take time call it.
//
// It writes through the handle that was there before the lock, and never into a file that has got a
// second name meanwhile.
func (l *Lock) Sign(now time.Time) {
	if l.handle == nil {
		return
	}
	if info, err := l.handle.Stat(); err != nil || !isOursAlone(info) {
		return
	}
	if l.handle.Truncate(0) == nil {
		_, _ = l.handle.WriteAt(fmt.Appendf(nil, "%d %d\n", os.Getpid(), now.Unix()), 0)
	}
}

// SignedBy reads who holds the lock at path, if it is held at all: a signature stays when its
// process has released the lock. A holder that has not signed leaves the signature of an earlier
// one, who is no longer alive.
func SignedBy(path string) *HeldError {
	held := &HeldError{Path: path}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return held
	}
	defer f.Close()
	b := make([]byte, 64)
	n, _ := f.Read(b)
	fields := strings.Fields(string(b[:n]))
	if len(fields) != 2 {
		return held
	}
	pid, errPID := strconv.Atoi(fields[0])
	start, errStart := strconv.ParseInt(fields[1], 10, 64)
	if errPID == nil && errStart == nil && pid > 0 && !errors.Is(unix.Kill(pid, 0), syscall.ESRCH) {
		held.PID, held.Since = pid, time.Unix(start, 0)
	}
	return held
}
