package transmit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

const (
	// maxSecretFile bounds a token, header or key file, so that a wrong path to something large
	// fails fast.
	maxSecretFile = 64 << 10
	// maxCAFile is several times the size of a system's collection of authorities.
	maxCAFile = 4 << 20
	// pipePatience is how long a pipe may take. The program that fills it may ask a server.
	pipePatience = 30 * time.Second
)

var (
	errSpecialFile = errors.New("neither a regular file nor a pipe")
	errSilentPipe  = errors.New("the pipe did not end in time")
	errEmptyPipe   = errors.New("the pipe is empty, or nobody writes to it")
)

// ReadSmall reads a file that an operator has named, up to a limit. A pipe will do, because shells
// offer secrets that way: its writer has opened it by then. A FIFO without a writer looks like one
// whose writer is done, so a pipe that gives nothing is an error. Anything else could be endless,
// or never answer.
func ReadSmall(file string, limit int64) ([]byte, error) {
	return readSmall(file, limit, pipePatience)
}

func readSmall(file string, limit int64, patience time.Duration) ([]byte, error) {
	// Opening a FIFO would otherwise wait for its writer.
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	isPipe := info.Mode().Type() == os.ModeNamedPipe
	switch info.Mode().Type() {
	case 0:
	case os.ModeNamedPipe:
		f.SetReadDeadline(time.Now().Add(patience))
	case os.ModeDir:
		return nil, &os.PathError{Op: "read", Path: file, Err: syscall.EISDIR}
	default:
		return nil, &os.PathError{Op: "read", Path: file, Err: errSpecialFile}
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &os.PathError{Op: "read", Path: file, Err: errSilentPipe}
	case err != nil:
		return nil, err
	case isPipe && len(data) == 0:
		return nil, &os.PathError{Op: "read", Path: file, Err: errEmptyPipe}
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s is larger than %d KiB", file, limit>>10)
	}
	return data, nil
}
