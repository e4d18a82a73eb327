package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// maxLockTries bounds how often a lock file that is replaced under our hands is
// taken anew.
const maxLockTries = 5

// lockFlags never follow a symbolic link and never wait for the other end of a
// FIFO, whatever lies where the lock file should be.
const lockFlags = os.O_CREATE | os.O_RDWR | unix.O_NOFOLLOW | unix.O_NONBLOCK

// runLock is the lock of one breaker, held by everything that changes its state.
// The kernel lets go of it when the process ends, however it ends. The file is
// never deleted: whoever deletes a lock file hands out two locks.
type runLock struct{ lock *flock.Flock }

// heldError says that another process holds the lock, and which, if it said so.
type heldError struct {
	path  string
	pid   int // 0 = unknown
	since time.Duration
}

func (e *heldError) Error() string {
	if e.pid == 0 {
		return "another spoolfwd is at work: it holds " + e.path
	}
	return fmt.Sprintf("another spoolfwd is at work: process %d has held %s for %s", e.pid, e.path, console.Duration(e.since))
}

// isHeld reports whether another process holds the lock.
func isHeld(err error) bool {
	var held *heldError
	return errors.As(err, &held)
}

// takeLock takes the lock at path without waiting and writes nothing: an empty
// run, which most are, leaves the disk alone. The directory must exist. A lock
// that another process holds is a *heldError.
func takeLock(path string, now time.Time) (*runLock, error) {
	createLock(path)
	for range maxLockTries {
		l, err := tryLock(path, lockFlags)
		if errors.Is(err, syscall.EROFS) {
			// The lock is in the inode, so a read-only disk that has the file
			// can hold it. Only the holder's name cannot be written.
			var without error
			l, without = tryLock(path, lockFlags&^(os.O_CREATE|os.O_RDWR))
			if !errors.Is(without, fs.ErrNotExist) { // else the first error is the cause
				err = without
			}
		}
		if err != nil {
			return nil, lockError(path, err, now)
		}
		if l == nil {
			continue // another file is at path by now
		}
		return l, nil
	}
	return nil, exit.With(exit.IO, withHint(fmt.Errorf("the lock %s keeps being replaced", path), "something deletes it; exclude it from cleaning"))
}

// tryLock returns nil without an error when what was locked is no longer what is
// at path: locks on two inodes exclude nobody.
func tryLock(path string, flags int) (*runLock, error) {
	l := flock.New(path, flock.SetFlag(flags), flock.SetPermissions(0o644))
	taken, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	if !taken {
		return nil, syscall.EWOULDBLOCK
	}
	locked, err := l.Stat()
	if err == nil && !locked.Mode().IsRegular() {
		err = errNotRegular
	}
	var there fs.FileInfo
	if err == nil {
		there, err = os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			there, err = nil, nil
		}
	}
	if err != nil || there == nil || !os.SameFile(locked, there) {
		return nil, errors.Join(err, l.Unlock())
	}
	return &runLock{l}, nil
}

var errNotRegular = errors.New("not a regular file")

func lockError(path string, err error, now time.Time) error {
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return exit.With(exit.Busy, holderOf(path, now))
	case errors.Is(err, syscall.ELOOP):
		return exit.With(exit.Config, withHint(fmt.Errorf("the lock %s is a symbolic link", path), "remove it; a lock is never taken through a link"))
	case errors.Is(err, errNotRegular), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENXIO):
		return exit.With(exit.Config, withHint(fmt.Errorf("the lock %s is no regular file", path), "remove what is there"))
	}
	return fmt.Errorf("cannot take the lock: %w", err)
}

// Release lets go of the lock.
func (l *runLock) Release() { l.lock.Unlock() }

// Sign writes who holds the lock, for messages only: nothing is decided by it,
// so failing to write (a full disk) is ignored. Holders that take time call it.
func (l *runLock) Sign(now time.Time) {
	f, err := os.OpenFile(l.lock.Path(), os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	text := fmt.Sprintf("%d %d\n", os.Getpid(), now.Unix())
	if f.Truncate(0) == nil {
		f.WriteString(text)
	}
}

// holderOf reads who holds the lock at path. A holder that has not signed (yet)
// leaves the signature of an earlier one, who is no longer alive.
func holderOf(path string, now time.Time) *heldError {
	held := &heldError{path: path}
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
		held.pid, held.since = pid, max(0, now.Sub(time.Unix(start, 0)))
	}
	return held
}
