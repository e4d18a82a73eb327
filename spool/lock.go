package spool

import (
	"errors"

	"golang.org/x/sys/unix"
)

// TryLock locks the directory itself (flock(2)) until Unlock or Close, and reports false when
// another process holds that lock. It never waits. It is for runs that have no other lock in
// common, because their breakers differ: they would send the same files.
//
// Whoever can open the directory for reading can hold the lock, so the caller decides whether the
// holder matters. A file system that cannot lock directories protects nothing, and the answer is
// true.
func (s *Spool) TryLock() bool {
	err := again(func() error { return unix.Flock(s.fd, unix.LOCK_EX|unix.LOCK_NB) })
	return !errors.Is(err, unix.EWOULDBLOCK)
}

// Unlock gives back what TryLock took.
func (s *Spool) Unlock() { _ = unix.Flock(s.fd, unix.LOCK_UN) }

// Private reports whether only the owner and the group of the directory can open it.
func (s *Spool) Private() bool { return s.mode&unix.S_IROTH == 0 }

// Owner returns the user to whom the directory belongs.
func (s *Spool) Owner() int { return int(s.ownerUID) }
