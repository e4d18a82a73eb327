//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const ownMounts = "SPOOLFWD_BENCH_MOUNTS=own"

// inOwnMounts starts this program again in a mount namespace of its own, if it may: the mounts are
// gone with its last process, however that ends. It returns when that was done before, or cannot be
// done.
func inOwnMounts() {
	if os.Geteuid() != 0 || slices.Contains(os.Environ(), ownMounts) {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Unshare(unix.CLONE_NEWNS) == nil && unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") == nil {
		_ = syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), ownMounts))
	}
}

// makeDisk returns a directory for the spool: on a journaled ext4 of its own, otherwise in the
// directory for temporary files.
func (b *bench) makeDisk() (string, error) {
	if slices.Contains(os.Environ(), ownMounts) {
		dir, err := b.mountImage()
		if err == nil {
			b.place = "ext4 with a journal, an image in memory"
			return dir, nil
		}
		b.progress("no file system of its own: %v", err)
	}
	dir, err := os.MkdirTemp(b.dir, "spoolfwd-bench-")
	if err != nil {
		return "", err
	}
	b.onExit(func() { os.RemoveAll(dir) })
	b.place = "a directory for temporary files"
	b.progress("the spool is in %s; as root it would be on a journaled ext4 in memory", dir)
	return dir, nil
}

// mountImage makes an ext4 in memory and mounts it. The image loses its name at once, and the mount
// is private to this process: neither outlives it.
func (b *bench) mountImage() (string, error) {
	image, err := os.CreateTemp("/dev/shm", "spoolfwd-bench-*.img")
	if err != nil {
		return "", err
	}
	defer image.Close()
	defer os.Remove(image.Name())
	const block = 4 << 10
	files := int64(max(b.files, b.far))
	if b.scale {
		files = int64(max(b.files, b.scaleFiles))
	}
	blocks := (int64(b.size) + block - 1) / block
	if err := image.Truncate(files*(blocks+1)*block*11/10 + 512<<20); err != nil {
		return "", err
	}
	// A journal like that of an ordinary disk, and all tables written now instead of by the kernel
	// in the background later.
	if err := command("mkfs.ext4", "-q", "-F", "-b", strconv.Itoa(block), "-N", strconv.FormatInt(files*11/10+4096, 10),
		"-J", "size=128", "-E", "lazy_itable_init=0,lazy_journal_init=0", image.Name()); err != nil {
		return "", err
	}
	dir := filepath.Join(b.work, "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	if err := command("mount", "-o", "loop,noatime", image.Name(), dir); err != nil {
		return "", err
	}
	b.onExit(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir, nil
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w %s", name, err, out)
	}
	return nil
}

// syncDisk writes out what is still in memory, so that no contender pays for the one before it.
func (b *bench) syncDisk() error {
	fd, err := unix.Open(b.spool, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Syncfs(fd)
}
