package statefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// File says where a state file lies and how it is kept.
type File struct {
	Path string

	// MaxSize is the most that Read accepts, in bytes.
	MaxSize int64

	// InPlace lets Write overwrite the file where it is when no new file can be made, for instance
	// on a full disk. It is for content that may be torn by a crash.
	InPlace bool

	// Volatile leaves out the fsyncs, for content that may get lost in a power cut.
	Volatile bool

	// Secret keeps the content from other users. Read refuses a file that another user owns, or
	// that others than the owner may read or write.
	Secret bool
}

// Causes for which Read refuses what is at the path.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("too large")
	ErrNotSecret  = errors.New("another user may read or write it")
)

// Read returns the content. The error of an absent file is fs.ErrNotExist.
func (f File) Read() ([]byte, error) {
	file, err := os.OpenFile(f.Path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		// A symbolic link and a socket fail with errnos that differ among systems and say little:
		// name the kind of file.
		if info, errStat := os.Lstat(f.Path); errStat == nil && !info.Mode().IsRegular() {
			return nil, notRegular(info.Mode())
		}
		return nil, bare(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, notRegular(info.Mode())
	}
	if f.Secret && !isSecret(info) {
		return nil, ErrNotSecret
	}
	data, err := io.ReadAll(io.LimitReader(file, f.MaxSize+1))
	if err != nil {
		return nil, bare(err)
	}
	if int64(len(data)) > f.MaxSize {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, f.MaxSize)
	}
	return data, nil
}

func isSecret(info fs.FileInfo) bool {
	st, known := info.Sys().(*syscall.Stat_t)
	return known && int(st.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 == 0
}

func notRegular(mode fs.FileMode) error {
	kind := "a device"
	switch {
	case mode.IsDir():
		kind = "a directory"
	case mode&fs.ModeSymlink != 0:
		kind = "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a FIFO"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	}
	return fmt.Errorf("%s and %w", kind, ErrNotRegular)
}

// IsSpoiled tells a file that is bad from a file that could not be read this time. Only a cause
// found in the file itself, or a refusal, says something about the file. After every other errno
// (EIO, EMFILE, ENOMEM, ...) the next run may find nothing wrong.
func IsSpoiled(cause error) bool {
	var errno syscall.Errno
	return !errors.As(cause, &errno) || errors.Is(errno, fs.ErrPermission)
}

// SetAside renames a bad file, of whatever kind, to Path.corrupt, where a person finds it. The
// rename is not made durable: after a power cut the bad file is back and is set aside again.
func (f File) SetAside() (keptAs string, err error) {
	keptAs = f.Path + ".corrupt"
	if os.Rename(f.Path, keptAs) == nil {
		return keptAs, nil
	}
	// A file does not replace a directory, nor a directory a file.
	os.Remove(keptAs)
	if err := os.Rename(f.Path, keptAs); err != nil {
		return "", bare(err)
	}
	return keptAs, nil
}

// Sweep removes what writers that were killed left behind: regular files named like the state file
// with digits appended. Only the holder of a lock may call it: for others it could be a write under
// way. A failure changes nothing for this run, and the next one tries again.
func (f File) Sweep() {
	dir, base := filepath.Dir(f.Path), filepath.Base(f.Path)
	entries, _ := os.ReadDir(dir) // what was read before an error counts
	for _, entry := range entries {
		digits, found := strings.CutPrefix(entry.Name(), base)
		if found && digits != "" && strings.Trim(digits, "0123456789") == "" && entry.Type().IsRegular() {
			os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// bare removes the call and the path that package os wraps around an errno.
func bare(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
