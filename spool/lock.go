package spool

import (
	"errors"

	"golang.org/x/sys/unix"
)

// TryLock locks the spool until Close (flock(2)), and reports false when another process holds that
// lock. It never waits. It is for runs that have no other lock in common, because their breakers
// differ: they would send the same files.
//
// What is locked is rejected/, which is made for that if it is missing. Everybody who can open a
// directory can lock it: the spool itself is often open to everybody, and rejected/ is not. A lock
// on a rejected/ that everybody can open counts for nothing. Where rejected/ cannot be used, or the
// file system cannot lock directories, nothing is protected. The answer is then true, because
// deliveries go on. Only while there is no room for rejected/, the spool itself is locked, just as
// a run then locks the state directory in place of a lock file.
func (s *Spool) TryLock() bool {
	dir, err := s.openRejected(true)
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT), errors.Is(err, unix.EROFS):
		return !errors.Is(flock(s.fd), unix.EWOULDBLOCK) // until the handle is closed
	case err != nil:
		return true
	}
	if err = flock(dir); err == nil {
		s.locked = dir
		s.alone = isLocal(s.fd)
		return true
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	return !errors.Is(err, unix.EWOULDBLOCK) || unix.Fstat(dir, &st) == nil && uint32(st.Mode)&unix.S_IROTH != 0
}

func flock(fd int) error {
	return again(func() error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
}
