//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// disk is a file system in a file behind a loop device.
type disk struct {
	kind    string // ext4, xfs
	image   string
	dir     string // where it is mounted
	mounted bool
	remove  func()
}

// newDisk makes and mounts a file system. The error says what this machine lacks. However this
// program ends, the file system is unmounted.
func (t *torture) newDisk(kind string, size int64) (*disk, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("mounting file systems needs root")
	}
	mkfs, err := exec.LookPath("mkfs." + kind)
	if err != nil {
		return nil, fmt.Errorf("mkfs.%s is not installed", kind)
	}
	// The image may be in memory: a power cut loses what the file system had not written to its
	// device, whatever the device is made of.
	home, err := os.MkdirTemp(t.temp, "disk-")
	if err != nil {
		return nil, err
	}
	d := &disk{kind: kind, image: filepath.Join(home, "image"), dir: filepath.Join(home, "mnt")}
	d.remove = t.onExit(func() {
		d.unmount()
		os.RemoveAll(home)
	})
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(d.image)
	if err == nil {
		err = errors.Join(f.Truncate(size), f.Close())
	}
	if err != nil {
		return nil, err
	}
	if out, err := exec.Command(mkfs, "-q", d.image).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", mkfs, err, out)
	}
	return d, d.mount()
}

// mount mounts the file system, and so recovers what a power cut left.
func (d *disk) mount(options ...string) error {
	options = append(options, "loop")
	out, err := exec.Command("mount", "-t", d.kind, "-o", strings.Join(options, ","), d.image, d.dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mounting on a loop device: %w: %s", err, out)
	}
	d.mounted = true
	return nil
}

// unmount waits for processes that still use the file system. At last it only detaches it.
func (d *disk) unmount() error {
	if !d.mounted {
		return nil
	}
	var err error
	for range 100 {
		if err = unix.Unmount(d.dir, 0); err == nil {
			d.mounted = false
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	d.mounted = unix.Unmount(d.dir, unix.MNT_DETACH) != nil
	return fmt.Errorf("unmount %s: %w", d.dir, err)
}

// Ways to cut the power, of the FS_IOC_SHUTDOWN ioctl of ext4 and XFS.
const (
	cutAfterSync     = 0 // everything is written first
	cutAfterLogFlush = 1 // the journal is written first
	cutNow           = 2 // nothing is written
)

// cut ends the file system as a power cut does: nothing reaches the device any more, and every call
// fails from then on.
func (d *disk) cut(how uint32) error {
	const shutdown = 0x8004587d // _IOR('X', 125, __u32)
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return os.NewSyscallError("FS_IOC_SHUTDOWN", ioctl(int(f.Fd()), shutdown, unsafe.Pointer(&how)))
}

// sync writes everything, so that what was prepared is there after a cut.
func (d *disk) sync() error {
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

// fill writes until not one more byte fits.
func (d *disk) fill() error {
	for n := 0; ; n++ {
		f, err := os.Create(filepath.Join(d.dir, fmt.Sprintf("ballast%d", n)))
		if err != nil {
			return exceptFull(err)
		}
		written := 0
		for size := 1 << 20; size > 0; size /= 2 {
			for err = nil; err == nil; {
				var got int
				got, err = f.Write(make([]byte, size))
				written += got
			}
			if err := exceptFull(err); err != nil {
				return err
			}
		}
		if err := f.Close(); exceptFull(err) != nil || written == 0 {
			return exceptFull(err)
		}
	}
}

// fillInodes makes files until not one more fits.
func (d *disk) fillInodes() error {
	for n := range 100_000 {
		f, err := os.Create(filepath.Join(d.dir, fmt.Sprintf("ballast%d", n)))
		if err != nil {
			return exceptFull(err)
		}
		f.Close()
	}
	return errors.New("the disk does not run out of inodes")
}

func exceptFull(err error) error {
	if errors.Is(err, unix.ENOSPC) {
		return nil
	}
	return err
}

// free removes what fill and fillInodes made.
func (d *disk) free() error {
	ballast, err := filepath.Glob(filepath.Join(d.dir, "ballast*"))
	for _, path := range ballast {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
