package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
)

// sampled is how many payload files are examined: the oldest, which are next.
const sampled = 20

// spool looks at the directory and the oldest payload files.
func (d *doctor) spool() {
	sp, err := d.Spool()
	if err != nil {
		d.fail("spool", "", err)
		return
	}
	defer sp.Close()
	page, err := sp.Scan(spool.Entry{}, sampled)
	if err != nil {
		d.fail("spool", "", err)
		return
	}
	d.ok("spool", "%s holds %s, %s", sp.Dir(), console.Count(page.Files, "payload file"), console.Size(page.Bytes))
	for _, skipped := range page.Skipped.Samples {
		if code := exit.OfSkipped(skipped.Err); code != exit.OK {
			d.fail("spool", "", exit.With(code, &skipped))
		} else {
			d.warn("spool", "move it away; it is never sent", "%s", skipped.Error())
		}
	}
	d.removable(sp.Dir(), page.Entries.All())
	d.room("spool", sp.Dir())
	d.rejected(sp)
}

// removable asks whether payload files can be read and removed: a run that could not remove what it
// has sent would send it for ever.
func (d *doctor) removable(dir string, entries iter.Seq[spool.Entry]) {
	if err := may(dir, unix.W_OK|unix.X_OK); err != nil {
		d.fail("spool", "run as the user who owns them", fmt.Errorf("payload files cannot be removed: %w", err))
		return
	}
	info, err := os.Stat(dir)
	if err != nil {
		d.fail("spool", "", err)
		return
	}
	sticky := info.Mode()&fs.ModeSticky != 0 && os.Geteuid() != 0 && ownerOf(info) != os.Geteuid()
	for e := range entries {
		path := filepath.Join(dir, e.Name)
		if err := may(path, unix.R_OK); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.fail("spool", "run as the user who owns it", fmt.Errorf("cannot read a payload file: %w", err))
			return
		}
		if info, err := os.Lstat(path); err == nil && sticky && ownerOf(info) != os.Geteuid() {
			d.fail("spool", "run as that user, or as the owner of the spool",
				exit.With(exit.Permission, fmt.Errorf("%s belongs to uid %d and cannot be removed from a sticky directory", path, ownerOf(info))))
			return
		}
	}
	d.ok("spool", "payload files can be read and removed")
}

// rejected asks whether payloads can be moved to rejected/. An obstacle is worded as a run would
// word it.
func (d *doctor) rejected(sp *spool.Spool) {
	n, bytes, err := sp.CountRejected()
	if err != nil {
		d.fail("rejected", "", err)
		return
	}
	path := filepath.Join(sp.Dir(), spool.RejectedDir)
	inner, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return // made when it is needed
	}
	outer, errOuter := os.Stat(sp.Dir())
	if err := errors.Join(err, errOuter); err != nil {
		d.fail("rejected", "", err)
		return
	}
	if may(path, unix.W_OK|unix.X_OK) != nil {
		d.fail("rejected", "", &spool.RejectedDirError{Path: path, Err: syscall.EACCES})
	}
	if deviceOf(inner) != deviceOf(outer) { // a rename moves a payload only within one file system
		d.fail("rejected", "", &spool.RejectedDirError{Path: path, Err: syscall.EXDEV})
	}
	if n > 0 {
		d.warn("rejected", "see 'spoolfwd rejected list'", "%s, %s", console.Count(n, "payload"), console.Size(bytes))
	}
}

// may asks whether this process may do something with a path, by its effective ids. access(2) was
// made for that, and changes nothing.
func may(path string, mode uint32) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "access", Path: path, Err: err}
	}
	return nil
}

func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

func deviceOf(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev)
	}
	return 0
}
