package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// In the middle of an incident, a person who trips the breaker or flushes with sudo is often the
// first to need the state directory. If it stayed root's, every scheduled run after that would end
// with "permission denied". So root gives it to the user whom it serves.

// makeStateDir creates the state directory if it is missing. The mode is 0755, since other programs
// may read the breaker's state. A directory that root creates is given to the owner of the spool
// or, where that is root or unknown, to the owner of the directory above.
func (s *session) makeStateDir() error {
	dir := filepath.Clean(s.cfg.Breaker.StateDir)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(dir, 0o755) // says what is wrong with it
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) { // made by another process meanwhile
		return os.MkdirAll(dir, 0o755)
	}
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	// Through a handle: in a directory that another user may write, the path can lead elsewhere by
	// now.
	made, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer made.Close()
	if !handOver(made, s.cfg.Spool.Dir) {
		handOver(made, filepath.Dir(dir))
	}
	return nil
}

// handOver gives a file that root has made to the owner of path, unless the owner is root. It may
// fail where the file system knows no owners.
func handOver(f *os.File, path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	st, known := info.Sys().(*syscall.Stat_t)
	return known && st.Uid != 0 && f.Chown(int(st.Uid), int(st.Gid)) == nil
}
