package breaker

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

// Anomaly says that the state file could not be used and that the breaker began closed instead. It is one sentence for one
// warning, never a reason to stop.
type Anomaly struct {
	Path      string // the state file
	Cause     error  // what is wrong with it
	KeptAs    string // where the bad file is now; "" when it was left in place
	KeepError error  // why it could not be moved there
}

func (a *Anomaly) Error() string {
	text := fmt.Sprintf("breaker state %s: %v: taken as closed", a.Path, a.Cause)
	switch {
	case a.KeptAs != "":
		text += ", the bad file is kept as " + a.KeptAs
	case a.KeepError != nil:
		text += fmt.Sprintf(", and the bad file cannot be set aside: %v", a.KeepError)
	}
	return text
}

// Unwrap gives the cause, so that errors.Is finds fs.ErrPermission and the like.
func (a *Anomaly) Unwrap() error { return a.Cause }

// read loads the state file at path. An absent file is a closed breaker and no error.
func read(path string) (memory, otherKeys, error) {
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return memory{}, nil, nil
	}
	if err != nil {
		return memory{}, nil, err
	}
	return decode(data)
}

// readFile reads a regular file and nothing else: O_NOFOLLOW refuses a symlink, O_NONBLOCK does not hang on a FIFO. It
// reads one byte more than allowed, for decode to see.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		// A symlink and a socket fail with errnos that differ among systems and say little: name the kind of file.
		if info, statErr := os.Lstat(path); statErr == nil && !info.Mode().IsRegular() {
			return nil, notRegular(info)
		}
		return nil, bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, notRegular(info)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	return data, bare(err)
}

// bare removes the call and the path that package os wraps around an errno, for messages that name the file themselves.
func bare(err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return errno
	}
	return err
}

func notRegular(info fs.FileInfo) error {
	kind := "a device"
	switch mode := info.Mode(); {
	case mode.IsDir():
		kind = "a directory"
	case mode&fs.ModeSymlink != 0:
		kind = "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a FIFO"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	}
	return errors.New(kind + " and not a regular file")
}

// isSpoiled tells a file that is bad from one that could not be read this time. Only a cause found in the file itself, or a
// refusal, says something about the file; of every other errno (EIO, EMFILE, ENOMEM, ...) the next run may see nothing.
func isSpoiled(cause error) bool {
	errno := syscall.Errno(0)
	return !errors.As(cause, &errno) || errors.Is(errno, fs.ErrPermission)
}

// setAside renames the bad file, whatever it is, to where a person finds it. The rename is not made durable: after a power
// cut the bad file is back and is set aside again.
func setAside(path string) (keptAs string, err error) {
	keptAs = path + ".corrupt"
	if err := os.Rename(path, keptAs); err == nil {
		return keptAs, nil
	}
	// A file does not replace a directory, nor a directory a file.
	os.Remove(keptAs)
	if err := os.Rename(path, keptAs); err != nil {
		return "", bare(err)
	}
	return keptAs, nil
}

// sweep removes what saves that were killed left behind: the state file's name and the random number of the temporary.
// Only the holder of the lock may do this; for others it could be the save of a run under way. Other kinds of files under
// such a name are not ours, and a failure changes nothing for the run: the next one tries again.
func sweep(statePath string) {
	dir, base := filepath.Dir(statePath), filepath.Base(statePath)
	entries, _ := os.ReadDir(dir) // what was read before an error counts
	for _, entry := range entries {
		digits, found := strings.CutPrefix(entry.Name(), base)
		if found && digits != "" && strings.Trim(digits, "0123456789") == "" && entry.Type().IsRegular() {
			os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}
