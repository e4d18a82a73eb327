package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// state looks at the state directory and what is in it.
func (d *doctor) state() {
	b, err := d.Breaker()
	if err != nil {
		d.fail("state", "", err)
		return
	}
	if !d.stateDir() {
		return
	}
	if err := b.Peek(d.Now()); err != nil {
		d.warn("state", "the next run keeps it aside and starts closed", "%v", err)
	} else {
		stats := b.Stats(d.Now())
		d.ok("state", "breaker %s is %s", stats.Name, console.Breaker(stats, d.Now()))
	}
	if _, err := drain.PeekIndex(d.IndexPath); err != nil {
		d.warn("state", d.Hint(err), "%v", err)
	}
	d.lock(b.LockPath())
}

// stateDir reports whether the directory is there and usable.
func (d *doctor) stateDir() bool {
	dir := d.StateDir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if d.Offline {
			d.warn("state", "the first run makes it where runs are made", "%s does not exist", dir)
			return false
		}
		parent := dir
		for parent != filepath.Dir(parent) && errors.Is(err, fs.ErrNotExist) {
			parent = filepath.Dir(parent)
			_, err = os.Stat(parent)
		}
		if err := may(parent, unix.W_OK|unix.X_OK); err != nil {
			d.fail("state", "create it, or set --state-dir", fmt.Errorf("%s does not exist and cannot be made: %w", dir, err))
			return false
		}
		d.ok("state", "%s does not exist yet; the first run makes it", dir)
		return false
	case err != nil:
		d.fail("state", "", err)
		return false
	case !info.IsDir():
		d.wrong("state", "set --state-dir to one", "%s is not a directory", dir)
		return false
	}
	if err := may(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		d.fail("state", "run as the user who owns the directory", fmt.Errorf("the state cannot be saved: %w", err))
		return false
	}
	d.room("state", dir)
	return true
}

// lock asks whether the lock could be taken. It does not try: a run that started in that moment
// would find the lock held.
func (d *doctor) lock(path string) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		d.fail("state", "", err)
	case !info.Mode().IsRegular():
		d.wrong("state", "remove what is there", "the lock %s is not a regular file", path)
	default:
		if err := may(path, unix.R_OK|unix.W_OK); err != nil {
			d.fail("state", "run as the user who owns it", fmt.Errorf("the lock cannot be taken: %w", err))
		}
		if err := d.Lock(path); err != nil {
			d.warn("state", d.Hint(err), "%v", err)
		}
	}
}

// Below these a disk is called nearly full.
const (
	lowBytes  = 64 << 20
	lowInodes = 1000
)

// room looks for space and inodes.
func (d *doctor) room(about, dir string) {
	room, err := spool.RoomIn(dir)
	if err != nil {
		d.warn(about, "", "cannot tell how full the disk is: %v", err)
		return
	}
	switch {
	case room.Bytes == 0, room.InodesLimited && room.Inodes == 0:
		d.fail(about, "a run still sends, but no state can be saved", exit.With(exit.IO, fmt.Errorf("the disk of %s is full", dir)))
	case room.Bytes < lowBytes:
		d.warn(about, "make room, or limit producers", "the disk of %s has only %s left", dir, console.Size(room.Bytes))
	case room.InodesLimited && room.Inodes < lowInodes:
		d.warn(about, "remove small files", "the file system of %s has only %d inodes left", dir, room.Inodes)
	default:
		d.ok(about, "the disk of %s has %s left", dir, console.Size(room.Bytes))
	}
}
