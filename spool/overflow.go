package spool

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// spareRoom is how many bytes an overflow leaves free on the disk. Producers need them, and so do
// rewrites and saved state.
const spareRoom = 256 << 20

// An overflow holds the entries for which the page of a scan has no room, so that the next pages
// need not look at every payload file once more. It is a temporary file in the spool that loses its
// name before anything is written, and so it disappears with the process, however that ends. It
// only saves work: on a disk with too little room for it, the spool is scanned again.
type overflow struct {
	dir     int
	spare   int64 // bytes to be left free
	file    *os.File
	w       *bufio.Writer
	entries int
	err     error // the first one; nothing is kept after it
}

// add notes an entry. It creates the file when there is none.
func (o *overflow) add(e Entry) {
	if o.err == nil && o.file == nil {
		o.err = o.create()
	}
	if o.err == nil {
		b := o.w.AvailableBuffer()
		b = binary.NativeEndian.AppendUint64(b, uint64(e.ModTime))
		b = binary.NativeEndian.AppendUint64(b, uint64(e.Size))
		b = binary.NativeEndian.AppendUint16(b, uint16(len(e.Name)))
		_, o.err = o.w.Write(append(b, e.Name...))
		o.entries++
	}
	if o.err != nil {
		o.close() // at once, since it may be what fills the disk
	}
}

func (o *overflow) create() error {
	fd, name, err := createTemp(o.dir, TempPrefix, 0o600)
	if err != nil {
		return err
	}
	o.file = os.NewFile(uintptr(fd), name)
	o.w = bufio.NewWriterSize(o, 64<<10)
	remove := func() error { return unix.Unlinkat(o.dir, name, 0) }
	if err := again(remove); err != nil {
		o.close()
		_ = again(remove) // some file systems do not remove an open file
		return err
	}
	return nil
}

// Write writes to the file if that leaves room to spare.
func (o *overflow) Write(b []byte) (int, error) {
	room, err := roomOn(o.dir)
	if err == nil && room.Bytes < o.spare+int64(len(b)) {
		err = unix.ENOSPC
	}
	if err != nil {
		return 0, err
	}
	return o.file.Write(b)
}

// whole reports whether every entry that was added can be read again.
func (o *overflow) whole() bool {
	if o.err == nil && o.file != nil {
		o.err = o.w.Flush()
	}
	return o.err == nil
}

// each calls visit for every entry, in the order in which they were added.
func (o *overflow) each(visit func(Entry)) error {
	if o.file == nil {
		return nil
	}
	if _, err := o.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReaderSize(o.file, 64<<10)
	var head [18]byte
	var name []byte
	for range o.entries {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		name = append(name[:0], make([]byte, binary.NativeEndian.Uint16(head[16:]))...)
		if _, err := io.ReadFull(r, name); err != nil {
			return err
		}
		visit(Entry{
			Name:    string(name),
			ModTime: int64(binary.NativeEndian.Uint64(head[:])),
			Size:    int64(binary.NativeEndian.Uint64(head[8:])),
		})
	}
	return nil
}

// close gives its room back to the disk.
func (o *overflow) close() {
	if o.file != nil {
		_ = o.file.Close() // nothing in it is needed
		o.file = nil
	}
}
