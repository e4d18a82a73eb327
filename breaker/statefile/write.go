package statefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/natefinch/atomic"
	"golang.org/x/sys/unix"
)

// Write replaces the content. It creates the directory, mode 0755, if that is missing.
func (f File) Write(data []byte) error { return f.put(data, atomic.ReplaceFile) }

// Create writes the content of a file that does not exist yet. When there is one already, its
// content stays and the error is fs.ErrExist: of several processes that create the file at once,
// one wins.
func (f File) Create(data []byte) error {
	f.InPlace = false
	return f.put(data, func(temporary, path string) error {
		err := os.Link(temporary, path)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			// There are file systems without hard links. There the last of several processes wins.
			return atomic.ReplaceFile(temporary, path)
		}
		os.Remove(temporary)
		return err
	})
}

// put writes a temporary file and lets place give it its name. Not atomic.WriteFile: that ends with
// a chmod by path.
func (f File) put(data []byte, place func(temporary, path string) error) error {
	dir := filepath.Dir(f.Path)
	if err := f.makeDir(dir); err != nil {
		return bare(err)
	}
	if err := f.putInto(dir, data, place); err != nil {
		if f.InPlace && f.overwrite(data) == nil {
			return nil
		}
		return bare(err)
	}
	// The new name is in the directory and stays in memory until that is written: a power cut would
	// bring back the old content.
	return bare(f.syncDir(dir))
}

func (f File) putInto(dir string, data []byte, place func(temporary, path string) error) (err error) {
	// The star takes the random digits. Without it CreateTemp would put them in place of a star in
	// the name.
	temporary, err := os.CreateTemp(dir, filepath.Base(f.Path)+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temporary.Name()) // a full disk should not keep half a file
		}
	}()
	err = f.fill(temporary, data)
	if errClose := temporary.Close(); err == nil {
		err = errClose
	}
	if err != nil {
		return err
	}
	return place(temporary.Name(), f.Path)
}

func (f File) fill(temporary *os.File, data []byte) error {
	if _, err := temporary.Write(data); err != nil {
		return err
	}
	_ = temporary.Chmod(f.mode()) // in vain on a file system that has no modes
	if f.Volatile {
		return nil
	}
	return temporary.Sync()
}

// overwrite writes over the content of the file that is there. The rest of a longer content is cut
// off last, and a full disk takes what fits into the blocks that the file has.
func (f File) overwrite(data []byte) error {
	file, err := os.OpenFile(f.Path, os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := f.hasOneName(file); err != nil {
		return err
	}
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := file.Truncate(int64(len(data))); err != nil {
		return err
	}
	if f.Volatile {
		return nil
	}
	return file.Sync()
}

// hasOneName refuses a file that may be known under another name as well: somebody else who may
// write to the directory could have put a hard link to another file in its place.
func (f File) hasOneName(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	st, known := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || !known || st.Nlink != 1 {
		return ErrNotRegular
	}
	return nil
}

// mode is the mode of the file. Monitoring reads what is not secret, so everybody may. It does not
// follow the file that is replaced, since another program may have made that one private by
// accident (PHP's tempnam does).
func (f File) mode() fs.FileMode {
	if f.Secret {
		return 0o600
	}
	return 0o644
}

// Publish gives the file that is there the mode that Write would give it. Only the file's owner
// can. A failure changes nothing: the content is what counts.
func (f File) Publish() {
	info, err := os.Lstat(f.Path)
	if err != nil || !info.Mode().IsRegular() || info.Mode() == f.mode() {
		return
	}
	file, err := os.OpenFile(f.Path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if f.hasOneName(file) == nil {
		_ = file.Chmod(f.mode())
	}
}

// makeDir creates the directory when it is missing, and makes its entry durable.
func (f File) makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil // anything that is wrong with it shows when the file is written
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return f.syncDir(filepath.Dir(dir))
}

func (f File) syncDir(path string) error {
	if f.Volatile {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // a file system that cannot sync directories (fsync(2)): nothing more can be had
	}
	return err
}
