package spool

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// An overflow holds the entries that a scan found and its window has no room for,
// so that the next windows need not look at every payload file once more. It is a
// temporary file in the spool, which loses its name before anything is written: it
// ends with the process, however that ends. It saves work and nothing else depends
// on it; where it cannot be had, on a full disk for one, the spool is scanned again.
type overflow struct {
	dir  int
	file *os.File
	w    *bufio.Writer
	err  error // the first one; from there on nothing is kept
}

// add notes an entry. It creates the file when there is none.
func (o *overflow) add(e Entry) {
	if o.err == nil && o.file == nil {
		o.err = o.create()
	}
	if o.err != nil {
		return
	}
	b := o.w.AvailableBuffer()
	b = binary.NativeEndian.AppendUint64(b, uint64(e.ModTime))
	b = binary.NativeEndian.AppendUint64(b, uint64(e.Size))
	b = binary.NativeEndian.AppendUint16(b, uint16(len(e.Name)))
	b = append(b, e.Name...)
	_, o.err = o.w.Write(b)
}

func (o *overflow) create() error {
	fd, name, err := createTemp(o.dir, TempPrefix, 0o600)
	if err != nil {
		return err
	}
	o.file = os.NewFile(uintptr(fd), name)
	o.w = bufio.NewWriterSize(o.file, 64<<10)
	return again(func() error { return unix.Unlinkat(o.dir, name, 0) })
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
	for {
		if _, err := io.ReadFull(r, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
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
}

// close gives the disk its room back.
func (o *overflow) close() {
	if o.file != nil {
		o.file.Close() // nobody will miss what is in it
		o.file = nil
	}
}
