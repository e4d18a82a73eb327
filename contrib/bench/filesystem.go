//go:build linux

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// fileSystemAlone reads and removes the payload files, and syncs the directory at
// the end as a drain does: what is left when sending costs nothing.
func (b *bench) fileSystemAlone(concurrency int) error {
	entries, dir, err := b.list()
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	err = spread(concurrency, len(entries), func() (worker, error) {
		buffer := make([]byte, b.size+1)
		return worker{do: func(i int) error {
			name := entries[i].Name()
			if _, err := readAt(dir, name, buffer, true); err != nil {
				return err
			}
			return unix.Unlinkat(dir, name, 0)
		}}, nil
	})
	if err != nil {
		return err
	}
	return unix.Fsync(dir)
}

// list returns the spool's files and a descriptor of the spool.
func (b *bench) list() ([]os.DirEntry, int, error) {
	entries, err := os.ReadDir(b.spool)
	if err != nil {
		return nil, -1, err
	}
	dir, err := unix.Open(b.spool, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return entries, dir, err
}

// readAt reads a file of known size with open, read and close, and fstat if stat.
func readAt(dir int, name string, buffer []byte, stat bool) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if stat {
		if err := unix.Fstat(fd, &st); err != nil {
			return nil, err
		}
	}
	n, err := unix.Read(fd, buffer)
	if err == nil && n == len(buffer) {
		err = errors.New("larger than it should be")
	}
	return buffer[:max(n, 0)], err
}
