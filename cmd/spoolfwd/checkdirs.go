package main

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// sampled is how many payload files check looks at: the oldest are next.
const sampled = 20

// Below these a disk is called nearly full.
const (
	lowBytes  = 64 << 20
	lowInodes = 1000
)

// may asks whether this process may do something with a path, by its effective
// ids; it is what access(2) was made for, and changes nothing.
func may(path string, mode uint32) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "access", Path: path, Err: err}
	}
	return nil
}

// removable asks whether payload files can be read and removed: a run that could
// not remove what it has sent would send it for ever.
func (d *doctor) removable(dir string, entries iter.Seq[spool.Entry]) {
	if err := may(dir, unix.W_OK|unix.X_OK); err != nil {
		d.fail("spool", withHint(fmt.Errorf("payload files cannot be removed: %w", err), "run as the user who owns them"))
		return
	}
	info, err := os.Stat(dir)
	if err != nil {
		d.fail("spool", err)
		return
	}
	sticky := info.Mode()&fs.ModeSticky != 0 && os.Geteuid() != 0 && ownerOf(info) != os.Geteuid()
	for e := range entries {
		path := filepath.Join(dir, e.Name)
		if err := may(path, unix.R_OK); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.fail("spool", withHint(fmt.Errorf("cannot read a payload file: %w", err), "run as the user who owns it"))
			return
		}
		if info, err := os.Lstat(path); err == nil && sticky && ownerOf(info) != os.Geteuid() {
			d.fail("spool", exit.With(exit.Permission, withHint(fmt.Errorf("%s belongs to uid %d and cannot be removed from a sticky directory", path, ownerOf(info)), "run as that user, or as the owner of the spool")))
			return
		}
	}
	d.ok("spool", "payload files can be read and removed")
}

// rejectedDir asks whether payloads can be moved to rejected/, which a rename
// does only within one file system.
func (d *doctor) rejectedDir(dir string) {
	path := filepath.Join(dir, spool.RejectedDir)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return // made when it is needed
	case err != nil:
		d.fail("rejected", err)
		return
	case !info.IsDir():
		d.fail("rejected", exit.With(exit.Config, withHint(fmt.Errorf("%s is not a directory", path), "remove what is there")))
		return
	}
	if err := may(path, unix.W_OK|unix.X_OK); err != nil {
		d.fail("rejected", fmt.Errorf("payloads cannot be moved there: %w", err))
	}
	if outer, err := os.Stat(dir); err == nil && deviceOf(outer) != deviceOf(info) {
		d.fail("rejected", exit.With(exit.Config, withHint(fmt.Errorf("%s is on another file system than the spool", path), "payloads can only be renamed within one; unmount it")))
	}
}

// room looks for space and inodes.
func (d *doctor) room(about, dir string) {
	free, err := spool.RoomIn(dir)
	if err != nil {
		d.warn(about, "", "cannot tell how full the disk is: %v", err)
		return
	}
	switch {
	case free.Bytes == 0, free.InodesLimited && free.Inodes == 0:
		d.fail(about, exit.With(exit.IO, withHint(fmt.Errorf("the disk of %s is full", dir), "a run still sends, but no state can be saved")))
	case free.Bytes < lowBytes:
		d.warn(about, "make room, or limit producers", "the disk of %s has only %s left", dir, console.Size(free.Bytes))
	case free.InodesLimited && free.Inodes < lowInodes:
		d.warn(about, "remove small files", "the file system of %s has only %d inodes left", dir, free.Inodes)
	default:
		d.ok(about, "the disk of %s has %s left", dir, console.Size(free.Bytes))
	}
}

// state looks at the state directory and what is in it.
func (d *doctor) state() {
	const about = "state"
	b, err := d.s.newBreaker()
	if err != nil {
		d.fail(about, err)
		return
	}
	dir := d.s.cfg.Breaker.StateDir
	if !d.stateDir(about, dir) {
		return
	}
	if err := b.Peek(d.s.env.Now()); err != nil {
		d.warn(about, "the next run keeps it aside and starts closed", "%v", err)
	} else {
		d.ok(about, "breaker %s is %s", d.s.cfg.Breaker.Name, describeBreaker(b, d.s.env.Now()))
	}
	if _, err := drain.PeekIndex(drain.IndexPath(dir, d.s.cfg.Breaker.Name)); err != nil {
		d.warn(about, hintOf(err), "%s", messageOf(err))
	}
	info, err := os.Lstat(b.LockPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		d.fail(about, err)
	case !info.Mode().IsRegular():
		d.fail(about, exit.With(exit.Config, withHint(fmt.Errorf("the lock %s is no regular file", b.LockPath()), "remove what is there")))
	default:
		if err := may(b.LockPath(), unix.R_OK|unix.W_OK); err != nil {
			d.fail(about, withHint(fmt.Errorf("the lock cannot be taken: %w", err), "run as the user who owns it"))
		}
	}
}

// stateDir reports whether the directory is there and usable.
func (d *doctor) stateDir(about, dir string) bool {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		parent := dir
		for parent != filepath.Dir(parent) && errors.Is(err, fs.ErrNotExist) {
			parent = filepath.Dir(parent)
			_, err = os.Stat(parent)
		}
		if err := may(parent, unix.W_OK|unix.X_OK); err != nil {
			d.fail(about, withHint(fmt.Errorf("%s is not there and cannot be made: %w", dir, err), "create it, or set --state-dir"))
			return false
		}
		d.ok(about, "%s is not there yet; the first run makes it", dir)
		return false
	case err != nil:
		d.fail(about, err)
		return false
	case !info.IsDir():
		d.fail(about, exit.With(exit.Config, withHint(fmt.Errorf("%s is not a directory", dir), "set --state-dir to one")))
		return false
	}
	if err := may(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		d.fail(about, withHint(fmt.Errorf("the state cannot be saved: %w", err), "run as the user who owns the directory"))
		return false
	}
	d.room(about, dir)
	return true
}
