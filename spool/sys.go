package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"iter"
	"slices"

	"golang.org/x/sys/unix"
)

// again repeats a system call that a signal interrupted. Calls on files of local file systems do
// not return EINTR; those on network and user-space ones may (signal(7)). It gives up a call that
// is interrupted every time, because nothing may block a run.
func again(call func() error) (err error) {
	const enough = 100
	for range enough {
		if err = call(); err != unix.EINTR {
			return err
		}
	}
	return err
}

// openDir opens a directory below dir, with extra flags such as O_NOFOLLOW.
func openDir(dir int, name string, flags int) (fd int, err error) {
	err = again(func() (err error) {
		fd, err = unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|flags, 0)
		return err
	})
	return fd, err
}

// syncDir flushes a directory. A rename or unlink is durable only when its directory is, and fsync
// of the file does not cover that (fsync(2), NOTES). A file system that cannot sync directories
// says EINVAL; nothing more can be done there.
func syncDir(fd int) error {
	err := again(func() error { return unix.Fsync(fd) })
	if errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

// statAt looks at a directory entry itself, never at what a link points to.
func statAt(dir int, name string, st *unix.Stat_t) error {
	return again(func() error { return unix.Fstatat(dir, name, st, unix.AT_SYMLINK_NOFOLLOW) })
}

// createTemp creates a new file that is not a payload file yet.
func createTemp(dir int, prefix string, mode uint32) (fd int, name string, err error) {
	var random [8]byte
	rand.Read(random[:]) // never fails (crypto/rand.Read)
	name = prefix + hex.EncodeToString(random[:]) + tempSuffix
	err = again(func() (err error) {
		fd, err = unix.Openat(dir, name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
		return err
	})
	return fd, name, err
}

const tempSuffix = ".tmp"

// inOnePiece is data for writeTemp.
func inOnePiece(data []byte) iter.Seq[[]byte] { return slices.Values([][]byte{data}) }

// writeAll writes all of data, however many calls that takes.
func writeAll(fd int, data []byte) error {
	for len(data) > 0 {
		n := 0
		err := again(func() (err error) {
			n, err = unix.Write(fd, data)
			return err
		})
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// writeTemp writes pieces of data durably into a new temporary file and returns its name. prepare
// may set the file's mode, owner and times while it has no name that anybody looks for. On an error
// nothing is left behind.
func writeTemp(dir int, prefix string, mode uint32, pieces iter.Seq[[]byte], prepare func(fd int, temp string)) (name string, err error) {
	fd, name, err := createTemp(dir, prefix, mode)
	if err != nil {
		return "", err
	}
	for piece := range pieces {
		if err = writeAll(fd, piece); err != nil {
			break
		}
	}
	prepare(fd, name)
	// The contents must be on the disk before the name is. A rename that overtakes its data leaves
	// an empty file after a power cut.
	if err == nil {
		err = again(func() error { return unix.Fsync(fd) })
	}
	if closeErr := unix.Close(fd); err == nil && !errors.Is(closeErr, unix.EINTR) {
		err = closeErr
	}
	if err != nil {
		unix.Unlinkat(dir, name, 0)
		return "", err
	}
	return name, nil
}
