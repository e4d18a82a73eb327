package drain

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// indexContent is what atomic.WriteFile copies into its temporary file. WriteTo
// gets hold of that file before it is renamed, so that the index never exists
// with the wrong mode or owner.
type indexContent struct {
	*bytes.Reader
	path string
}

func (c *indexContent) WriteTo(w io.Writer) (int64, error) {
	if f, isFile := w.(*os.File); isFile {
		// Root who flushes by hand must not take the index away from the service.
		// Only root can give files away; where there are no owners, or no modes,
		// that is no reason to fail.
		if owner := c.owner(); owner != nil {
			_ = f.Chown(int(owner.Uid), int(owner.Gid))
		}
		// There is no secret in it, and monitoring reads it.
		_ = f.Chmod(0o644)
	}
	return c.Reader.WriteTo(w)
}

// owner is whose the index should be: whose it is, or, when root makes it, whose
// the directory is. nil: nobody else's.
func (c *indexContent) owner() *syscall.Stat_t {
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
