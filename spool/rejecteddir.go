package spool

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// RejectedDir is the directory inside the spool that holds rejected payloads.
const RejectedDir = "rejected"

// Causes of a RejectedDirError beside those of the system.
var (
	errRejectedForeign = errors.New("it belongs to another user")
	errRejectedOpen    = errors.New("other users may write to it")
)

// othersWrite are the mode bits that let others than the owner write.
const othersWrite = unix.S_IWGRP | unix.S_IWOTH

// openRejected opens rejected/, and makes it first if create says so.
//
// It is used only when nobody else can have put anything into it. It must be a directory and not a
// link. It must belong to the user of this process, to the spool's owner or to root, and nobody
// else may write to it. Where everybody may remove files from the spool itself, as on file systems
// that know no modes, being stricter about rejected/ would protect nothing.
func (s *Spool) openRejected(create bool) (fd int, err error) {
	if create {
		err := again(func() error { return unix.Mkdirat(s.fd, RejectedDir, 0o700) })
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return -1, s.rejectedError("", err)
		}
	}
	fd, err = openDir(s.fd, RejectedDir, unix.O_NOFOLLOW)
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EMLINK): // a link; EMLINK: FreeBSD's open(2)
		return -1, s.rejectedError("", unix.ENOTDIR)
	case err != nil:
		return -1, s.rejectedError("", err)
	}
	if err := s.judgeRejected(fd); err != nil {
		unix.Close(fd)
		return -1, s.rejectedError("", err)
	}
	return fd, nil
}

func (s *Spool) judgeRejected(fd int) error {
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return err
	}
	if !s.isTrusted(st.Uid) {
		return fmt.Errorf("%w, uid %d", errRejectedForeign, st.Uid)
	}
	tolerated := s.mode & othersWrite
	if s.sticky {
		tolerated = 0
	}
	if uint32(st.Mode)&othersWrite&^tolerated != 0 {
		return fmt.Errorf("%w, its mode is %04o", errRejectedOpen, uint32(st.Mode)&0o7777)
	}
	return nil
}

// isTrusted reports whether a user can do with the spool what he likes in any case.
func (s *Spool) isTrusted(uid uint32) bool {
	return uid == 0 || uid == s.ownerUID || int(uid) == s.euid
}

// rejectedError says that rejected/ cannot be used, or cannot take the payload of that name.
func (s *Spool) rejectedError(name string, err error) error {
	return &RejectedDirError{Path: s.path(RejectedDir), Name: name, Err: err}
}

// SyncRejected makes durable what Expire has moved.
func (s *Spool) SyncRejected() error {
	dir, err := s.openRejected(false)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	return s.syncRejected(dir)
}

// syncRejected makes moves between the spool and rejected/ durable.
func (s *Spool) syncRejected(dir int) error {
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("%s: sync: %w", s.path(RejectedDir), err)
	}
	return s.Sync()
}

// rejectedFault says what could not be done with a payload in rejected/.
func (s *Spool) rejectedFault(name, verb string, err error) error {
	return fmt.Errorf("%s/%s: %s: %w", s.path(RejectedDir), name, verb, err)
}
