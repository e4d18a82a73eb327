package metrics

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/breaker/statefile"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// maxSize bounds what is read of an earlier file.
const maxSize = 1 << 20

// File is the metrics file of one breaker.
type File struct {
	Path    string
	Breaker string // its name, which every series carries
	Version string // of the program
}

// Write puts the samples into the file and adds the counters that it held. When the file held
// another breaker's numbers, they are replaced, and replaced names that breaker.
func (f File) Write(got Samples) (replaced string, err error) {
	if replaced, err = f.write(got); err != nil {
		return "", fmt.Errorf("cannot write the metrics: %w", err)
	}
	return replaced, nil
}

// write holds a lock from before it reads the old counters until the new ones are written, so that
// two processes (one is a run that failed before it had the breaker's lock) do not lose each
// other's counts. The names of lock and temporary do not end in .prom, because node_exporter would
// read them.
//
// Nothing is synced. Numbers that a power cut takes are written again a minute later.
func (f File) write(got Samples) (replaced string, err error) {
	lock, err := takeLock(filepath.Join(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+".lock"))
	if err != nil {
		return "", err
	}
	defer lock.Release()
	file := statefile.File{Path: f.Path, MaxSize: maxSize, Volatile: true}
	file.Sweep()
	metrics := table(f.Version)
	before, name, err := read(file, metrics)
	if err != nil {
		return "", err
	}
	if name != "" && name != f.Breaker {
		before, replaced = nil, name
	}
	got.goOnFrom(before, metrics)
	if err := file.Write(got.text(f.Breaker, metrics)); err != nil {
		return "", fmt.Errorf("%s: %w", f.Path, err)
	}
	return replaced, nil
}

func takeLock(path string) (*breaker.Lock, error) {
	lock, err := breaker.TakeLock(path)
	if errors.Is(err, fs.ErrPermission) && os.Remove(path) == nil {
		return breaker.TakeLock(path) // left behind by another user, root most likely
	}
	return lock, err
}

// read returns what the metrics file holds, and the breaker whose numbers they are. A missing file
// holds nothing, and so does one that cannot be understood. Something that should not be replaced
// by a file is an error.
func read(file statefile.File, metrics []metric) (before Samples, name string, err error) {
	text, err := file.Read()
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, statefile.ErrTooLarge):
		return nil, "", nil
	case errors.Is(err, statefile.ErrNotRegular):
		return nil, "", exit.With(exit.Config, fmt.Errorf("%s: %w", file.Path, err))
	case err != nil:
		return nil, "", fmt.Errorf("%s: %w", file.Path, err)
	}
	before, name = parse(text, metrics)
	return before, name, nil
}
