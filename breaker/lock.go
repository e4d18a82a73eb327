package breaker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
)

// A Lock is held by everything that changes the state of a breaker. The kernel releases it when the
// process ends, however it ends. The file is never deleted: whoever deletes a lock file hands out
// two locks.
type Lock struct {
	file   *flock.Flock
	handle *os.File // of the same file, for its mode and signature; nil when the directory is locked
}

// HeldError says that another process holds the lock.
type HeldError struct {
	Path      string
	PID       int       // 0 when it is not known
	Since     time.Time // zero when it is not known; without PID it is when FoundHeld found it
	Directory bool      // Path is the directory, which is locked while there is no lock file
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return e.Path + " is locked by another process"
	}
	return fmt.Sprintf("%s is locked by process %d since %s", e.Path, e.PID, e.Since.Format(time.DateTime))
}

// lockMode keeps others out: whoever can open a lock file can hold the lock.
const lockMode = 0o600

// ErrReplaced says that something replaced a file again and again while it was taken into use.
var ErrReplaced = errors.New("keeps being replaced")

// TakeLock takes the lock at path without waiting. It writes nothing into the file, because most
// runs find nothing to do and leave the disk alone; it only removes a note of FoundHeld. The
// directory must exist.
//
// A lock that another process holds is a *HeldError. Anything but a regular file at path is
// statefile.ErrNotRegular, since a lock is never taken through a link.
//
// While there is no lock file and none can be made, for lack of room or on a read-only disk, the
// lock is the one of the directory: deliveries free a full disk.
func TakeLock(path string) (*Lock, error) {
	for range 5 {
		lock, err := tryLock(path, os.O_RDWR)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			lock, err = tryNewLock(path)
		case errors.Is(err, syscall.EROFS):
			// The lock is in the inode, so a read-only disk that has the file can hold it. Only the
			// holder's name cannot be written.
			lock, err = tryLock(path, os.O_RDONLY)
		}
		if err != nil || lock != nil {
			return lock, err
		}
	}
	return nil, fmt.Errorf("lock %s %w", path, ErrReplaced)
}

// tryLock locks the file that is at path. It returns nil without an error when what was locked is
// no longer what is at path: locks on two inodes exclude nobody.
func tryLock(path string, flags int) (*Lock, error) {
	flags |= unix.O_NOFOLLOW | unix.O_NONBLOCK
	handle, err := os.OpenFile(path, flags, 0)
	if err != nil {
		// A link and a socket cannot be opened. The errnos differ among systems and say little.
		if info, errStat := os.Lstat(path); errStat == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("lock %s: %w", path, statefile.ErrNotRegular)
		}
		return nil, fmt.Errorf("cannot take the lock: %w", err)
	}
	lock := &Lock{file: flock.New(path, flock.SetFlag(flags)), handle: handle}
	taken, err := lock.take(path)
	if !taken {
		lock.Release()
		return nil, err
	}
	return lock, nil
}

// take returns false without an error when the file that it has opened is not at path any more.
func (l *Lock) take(path string) (bool, error) {
	opened, err := l.handle.Stat()
	switch {
	case err != nil:
		return false, fmt.Errorf("cannot take the lock: %w", err)
	case !opened.Mode().IsRegular():
		return false, fmt.Errorf("lock %s: %w", path, statefile.ErrNotRegular)
	}
	// Earlier versions made the file readable for everybody. The mode comes before the lock:
	// whoever else holds the lock now cannot open the file again.
	if opened.Mode().Perm()&0o077 != 0 && isOursAlone(opened) {
		_ = l.handle.Chmod(lockMode)
	}
	taken, err := l.file.TryLock()
	switch {
	case err == nil && !taken:
		return false, SignedBy(path)
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("cannot take the lock: %w", err)
	}
	locked, err := l.file.Stat()
	if err != nil {
		return false, fmt.Errorf("cannot take the lock: %w", err)
	}
	there, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !os.SameFile(locked, opened) || !os.SameFile(locked, there) {
		return false, err
	}
	l.removeNote()
	return true, nil
}

// isOursAlone reports whether a file belongs to this user and has one name. A second name in a
// directory that others may write to could be a hard link to something else.
func isOursAlone(info fs.FileInfo) bool {
	st, known := info.Sys().(*syscall.Stat_t)
	return known && int(st.Uid) == os.Geteuid() && st.Nlink == 1
}

// tryNewLock makes the lock file and locks it, or locks the directory if that has no room for a
// file. It returns nil without an error when another process was faster.
func tryNewLock(path string) (*Lock, error) {
	err := makeLockFile(path)
	switch {
	case err == nil, errors.Is(err, fs.ErrExist):
		return tryLock(path, os.O_RDWR)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EROFS):
		if lock, errDir := tryDirectoryLock(path); errDir == nil || errors.As(errDir, new(*HeldError)) {
			return lock, errDir
		}
	}
	return nil, err
}

// tryDirectoryLock locks the directory in place of a file that is not there. Nobody can make the
// file from then on, because whoever does so shares a lock on the directory meanwhile.
func tryDirectoryLock(path string) (*Lock, error) {
	dir := directoryLock(path)
	if taken, err := dir.TryLock(); err != nil {
		return nil, err
	} else if !taken {
		return nil, &HeldError{Path: dir.Path(), Directory: true}
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		dir.Unlock()
		return nil, nil
	}
	return &Lock{file: dir}, nil
}

// makeLockFile reports a file that is already there as fs.ErrExist.
func makeLockFile(path string) error {
	dir := directoryLock(path)
	// A file system that cannot lock directories does not keep anybody from making the file.
	if shared, err := dir.TryRLock(); err == nil && !shared {
		return &HeldError{Path: dir.Path(), Directory: true}
	}
	defer dir.Unlock()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, lockMode)
	if err != nil {
		return fmt.Errorf("cannot make the lock: %w", err)
	}
	return f.Close()
}

func directoryLock(path string) *flock.Flock {
	return flock.New(filepath.Dir(path), flock.SetFlag(os.O_RDONLY|unix.O_DIRECTORY))
}
