package spool

import (
	"errors"

	"golang.org/x/sys/unix"
)

// renameNew moves a file without ever replacing another. Where the kernel or the file system has no
// such rename, a hard link does the same in two steps; where it has no hard links either, as in
// some of FUSE, the new name is reserved first.
func renameNew(fromDir int, from string, toDir int, to string) error {
	err := again(func() error { return renameExclusive(fromDir, from, toDir, to) })
	if !isUnsupported(err) {
		return err
	}
	err = linkNew(fromDir, from, toDir, to)
	if !isUnsupported(err) && !errors.Is(err, unix.EPERM) { // EPERM: no hard links here (link(2))
		return err
	}
	return renameReserved(fromDir, from, toDir, to)
}

func isUnsupported(err error) bool {
	return errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP)
}

// renameReserved takes the new name with an empty file, which never replaces another, and then
// replaces that file. A crash in between leaves the file under its old name and an empty one under
// the new name.
func renameReserved(fromDir int, from string, toDir int, to string) error {
	fd := -1
	err := again(func() (err error) {
		fd, err = unix.Openat(toDir, to, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	var reserved, now unix.Stat_t
	err = again(func() error { return unix.Fstat(fd, &reserved) })
	unix.Close(fd)
	if err == nil {
		err = statAt(toDir, to, &now)
	}
	if err == nil && identify(&now) != identify(&reserved) {
		return unix.EEXIST // somebody has put a file there in this moment: it is theirs
	}
	if err == nil {
		err = again(func() error { return unix.Renameat(fromDir, from, toDir, to) })
	}
	if err != nil {
		unix.Unlinkat(toDir, to, 0)
	}
	return err
}

// linkNew moves a file by giving it a second name. A crash leaves the file under both names, never
// under none.
func linkNew(fromDir int, from string, toDir int, to string) error {
	if err := again(func() error { return unix.Linkat(fromDir, from, toDir, to, 0) }); err != nil {
		return err
	}
	err := again(func() error { return unix.Unlinkat(fromDir, from, 0) })
	switch {
	case err == nil, errors.Is(err, unix.ENOENT): // somebody else has removed it: the new name is the last one
		return nil
	}
	unix.Unlinkat(toDir, to, 0) // one payload, one name
	return err
}
