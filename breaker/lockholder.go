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
	if l.handle != nil {
		write(l.handle, fmt.Appendf(nil, "%d %d\n", os.Getpid(), now.Unix()))
	}
}

// unsigned begins the note that stands in place of a signature when a run has found the lock held
// by a process that has not signed. The time of that follows.
const unsigned = "0 "

// FoundHeld returns since when the lock at path is known to be held by a process that has not
// signed it. That is when the first run found it so, which may be now. It notes the time in the
// lock file, and whoever takes the lock removes the note. The time is zero if it cannot be noted.
func FoundHeld(path string, now time.Time) time.Time {
	if found := SignedBy(path); found.PID == 0 && !found.Since.IsZero() {
		return found.Since
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return time.Time{}
	}
	defer f.Close()
	if !write(f, fmt.Appendf(nil, unsigned+"%d\n", now.Unix())) {
		return time.Time{}
	}
	return time.Unix(now.Unix(), 0)
}

// removeNote removes what FoundHeld has noted of an earlier holder.
func (l *Lock) removeNote() {
	b := make([]byte, len(unsigned))
	if n, _ := l.handle.ReadAt(b, 0); string(b[:n]) == unsigned {
		write(l.handle, nil)
	}
}

// write replaces what is in a lock file, unless the file has a second name.
func write(f *os.File, data []byte) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || !isOursAlone(info) || f.Truncate(0) != nil {
		return false
	}
	_, err = f.WriteAt(data, 0)
	return err == nil
}

// SignedBy reads who holds the lock at path, if it is held at all: a signature stays when its
// process has released the lock. A holder that has not signed leaves the signature of an earlier
// one, who is no longer alive, or a note of FoundHeld, which tells a time and no process.
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
	switch {
	case errPID != nil, errStart != nil, pid < 0:
	case pid == 0 || !errors.Is(unix.Kill(pid, 0), syscall.ESRCH): // kill(2) has another meaning for 0
		held.PID, held.Since = pid, time.Unix(start, 0)
	}
	return held
}
