//go:build unix && !linux

package spool

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// renameExclusive says that there is no such call, so that renameNew links.
func renameExclusive(fromDir int, from string, toDir int, to string) error { return unix.ENOSYS }

// appendOnly reports whether files can be made in a directory and not removed. Here nothing says so
// beforehand.
func appendOnly(dir int) bool { return false }

// readDir calls visit for every entry of the directory in the order in which the file system keeps
// them. The name is valid during the call only.
func readDir(dir int, visit func(name []byte, kind uint8) error) error {
	fd, err := openDir(dir, ".", 0) // an offset of its own
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), ".")
	defer f.Close()
	for {
		names, err := f.Readdirnames(1024)
		for _, name := range names {
			if err := visit([]byte(name), kindUnknown); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Kinds of directory entries as readDir reports them.
const (
	kindDirectory = 4
	kindUnknown   = 0
	kindRegular   = 8
)
