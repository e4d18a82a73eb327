package spool

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

func renameExclusive(fromDir int, from string, toDir int, to string) error {
	return unix.Renameat2(fromDir, from, toDir, to, unix.RENAME_NOREPLACE)
}

// appendOnly reports whether files can be made in a directory and not removed (chattr(1), attribute
// a).
func appendOnly(dir int) bool {
	var st unix.Statx_t
	err := again(func() error { return unix.Statx(dir, "", unix.AT_EMPTY_PATH, 0, &st) })
	return err == nil && st.Attributes&unix.STATX_ATTR_APPEND != 0
}

// readDir calls visit for every entry of the directory in the order in which the file system keeps
// them. The name is valid during the call only. It reads the directory in large steps and builds no
// object per entry: a spool of a million files is walked in a fixed amount of memory
// (getdents64(2)).
func readDir(dir int, visit func(name []byte, kind uint8) error) error {
	fd, err := openDir(dir, ".", 0) // an offset of its own
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	const nameAt = 19 // d_ino 8, d_off 8, d_reclen 2, d_type 1
	buf := make([]byte, 64<<10)
	for {
		n := 0
		err := again(func() (err error) {
			n, err = unix.Getdents(fd, buf)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
		for rest := buf[:n]; len(rest) > nameAt; {
			size := int(binary.NativeEndian.Uint16(rest[16:]))
			name := rest[nameAt:size]
			if end := bytes.IndexByte(name, 0); end >= 0 {
				name = name[:end]
			}
			kind := rest[18]
			rest = rest[size:]
			if string(name) == "." || string(name) == ".." {
				continue
			}
			if err := visit(name, kind); err != nil {
				return err
			}
		}
	}
}

// Kinds of directory entries as readDir reports them.
const (
	kindDirectory = unix.DT_DIR
	kindUnknown   = unix.DT_UNKNOWN
	kindRegular   = unix.DT_REG
)
