package breaker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/natefinch/atomic"
)

// write replaces the state file durably. The error names the file and wraps the errno.
func write(path string, data []byte) error {
	err := makeDir(filepath.Dir(path))
	if err == nil {
		err = atomic.WriteFile(path, &content{bytes.NewReader(data), path})
	}
	if err == nil {
		// The rename is in the directory, and stays in memory until that is written: without this, a power cut gives
		// back the old state, and a host that lost power while its listener was down begins to hammer again.
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("cannot save breaker state %s: %w", path, errnoOf(err))
	}
	return nil
}

// content is what atomic.WriteFile copies into its temporary file. WriteTo gets hold of that file before it is renamed, so
// that the state file never exists with the wrong mode or owner.
type content struct {
	*bytes.Reader
	path string
}

func (c *content) WriteTo(w io.Writer) (int64, error) {
	if f, isFile := w.(*os.File); isFile {
		// Root who resets or trips a breaker must not take the file away from the service. Only root can give files away and
		// only root needs to, so this may fail; and so may the next line, on a file system without modes.
		if owner := c.owner(); owner != nil {
			_ = f.Chown(int(owner.Uid), int(owner.Gid))
		}
		// Monitoring reads the file, and there is no secret in it. Where a file exists, atomic.WriteFile goes on to give
		// the new one its mode.
		_ = f.Chmod(0o644)
	}
	return c.Reader.WriteTo(w)
}

// owner is whose the file should be: whose it is, or, when root makes it, whose the directory is. nil: nobody else's.
func (c *content) owner() *syscall.Stat_t {
	info, err := os.Lstat(c.path)
	if err != nil || !info.Mode().IsRegular() {
		if os.Geteuid() != 0 {
			return nil
		}
		if info, err = os.Stat(filepath.Dir(c.path)); err != nil {
			return nil
		}
	}
	owner, _ := info.Sys().(*syscall.Stat_t)
	return owner
}

// makeDir creates the state directory when it is missing, and makes its entry durable.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil // anything that is wrong with it shows when the file is written
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // a file system that cannot sync directories (fsync(2)): nothing more to be had
	}
	return err
}

// errnoOf finds the errno at the root of an error. atomic.WriteFile wraps with %v and loses it, but errno texts are fixed,
// distinct, and end the message.
func errnoOf(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	for errno = 1; errno < 256; errno++ {
		if strings.HasSuffix(err.Error(), ": "+errno.Error()) {
			return errno
		}
	}
	return err
}
