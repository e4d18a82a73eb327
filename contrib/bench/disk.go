//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// makeDisk returns a directory for the spool: on a journaled ext4 of our own, else
// where temporary files go.
func (b *bench) makeDisk() (string, error) {
	if os.Getenv(namespaced) != "" {
		dir, err := b.mountImage()
		if err == nil {
			b.place = "ext4 with a journal, an image in memory"
			return dir, nil
		}
		b.say("no file system of its own: %v", err)
	}
	dir, err := os.MkdirTemp(b.dir, "spoolfwd-bench-")
	if err != nil {
		return "", err
	}
	b.onExit(func() { os.RemoveAll(dir) })
	b.place = "a directory for temporary files, " + fileSystem(dir)
	b.say("the spool is in %s (%s); as root it would be on a journaled ext4 in memory", dir, fileSystem(dir))
	return dir, nil
}

// mountImage makes an ext4 in memory and mounts it. The image loses its name at
// once and the mount is private to this process: neither outlives it.
func (b *bench) mountImage() (string, error) {
	image, err := os.CreateTemp("/dev/shm", "spoolfwd-bench-*.img")
	if err != nil {
		return "", err
	}
	defer image.Close()
	defer os.Remove(image.Name())
	const block = 4 << 10
	files := int64(b.mostFiles())
	blocks := (int64(b.size) + block - 1) / block
	// Room to spare, a journal like that of a disk of ordinary size, and all tables
	// written now instead of by the kernel in the background later.
	if err := image.Truncate(files*(blocks+1)*block*11/10 + 512<<20); err != nil {
		return "", err
	}
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

// settle writes out what is still in memory, so that no contender pays for the one
// before it.
func (b *bench) settle() error {
	fd, err := unix.Open(b.spool, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Syncfs(fd)
}

// fileSystem names the kind of file system that a directory is on.
func fileSystem(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "unknown"
	}
	switch int64(st.Type) {
	case unix.EXT4_SUPER_MAGIC:
		return "ext"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	}
	return fmt.Sprintf("type %#x", int64(st.Type))
}
