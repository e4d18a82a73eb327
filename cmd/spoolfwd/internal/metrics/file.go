package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// maxSize bounds what is read of an earlier file.
const maxSize = 1 << 20

// maxTries bounds how often a temporary that is renamed under our hands is opened anew.
const maxTries = 5

// File is the metrics file of one breaker.
type File struct {
	Path    string
	Breaker string // its name, which every series carries
	Version string // of the program
}

// Write puts the samples into the file and adds the counters that it held. When the file held
// another breaker's numbers, they are replaced, and replaced names that breaker.
//
// The temporary lies in the same directory for the rename. Its name does not end in .prom, or
// node_exporter would read it. It is locked from before the old counters are read until it has
// become the file, so that two processes (one is a run that failed before it had the breaker's
// lock) do not lose each other's counts.
func (f File) Write(got Samples) (replaced string, err error) {
	temporary, err := openTemporary(filepath.Join(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+".tmp"))
	if err != nil {
		return "", fmt.Errorf("cannot write the metrics: %w", err)
	}
	defer temporary.Close()
	metrics := table(f.Version)
	before, name, err := read(f.Path, metrics)
	if err != nil {
		return "", fmt.Errorf("cannot write the metrics: %w", err)
	}
	if name != "" && name != f.Breaker {
		before, replaced = nil, name
	}
	got.goOnFrom(before, metrics)
	var text bytes.Buffer
	for _, family := range got.families(f.Breaker, metrics) {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return "", fmt.Errorf("cannot write the metrics: %w", err)
		}
	}
	if err := fillAndRename(temporary, text.Bytes(), f.Path); err != nil {
		os.Remove(temporary.Name()) // it is ours: a full disk should not keep half a file
		return "", fmt.Errorf("cannot write the metrics: %w", err)
	}
	return replaced, nil
}

// fillAndRename gives the file its content and its place. Everybody may read it: node_exporter runs
// as a user of its own, and there is no secret in it.
func fillAndRename(f *os.File, text []byte, path string) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// openTemporary opens and locks the temporary at path, be it new or left behind by a crash.
func openTemporary(path string) (*os.File, error) {
	for range maxTries {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
		if errors.Is(err, fs.ErrPermission) && os.Remove(path) == nil {
			continue // left behind by another user, root most likely
		}
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				err = errors.New("locked by another process")
			}
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		opened, errOpened := f.Stat()
		there, errThere := os.Lstat(path)
		if errOpened == nil && errThere == nil && os.SameFile(opened, there) {
			if !opened.Mode().IsRegular() {
				f.Close()
				return nil, exit.With(exit.Config, fmt.Errorf("%s is not a regular file", path))
			}
			return f, nil
		}
		f.Close() // it has become the metrics file in the meantime
	}
	return nil, fmt.Errorf("%s keeps being replaced", path)
}

// read returns what the metrics file at path holds, and the breaker whose numbers they are. A
// missing file holds nothing, and so does one that cannot be understood. Something that should not
// be replaced by a file is an error.
func read(path string, metrics []metric) (before Samples, name string, err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() {
		return nil, "", exit.With(exit.Config, fmt.Errorf("%s is not a regular file", path))
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err != nil {
		return nil, "", err
	}
	before, name = parse(text, metrics)
	return before, name, nil
}

// parse reads the values of the metrics that are ours. Text with an error in it holds nothing at
// all, rather than what stands above the error.
func parse(text []byte, metrics []metric) (before Samples, name string) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, ""
	}
	before = Samples{}
	for _, m := range metrics {
		for _, one := range families[m.name].GetMetric() {
			key := series{metric: m.name}
			for _, l := range one.GetLabel() {
				switch l.GetName() {
				case "name":
					name = l.GetValue()
				case m.label:
					key.label = l.GetValue()
				}
			}
			value := one.GetGauge().GetValue()
			if m.kind == counter {
				value = one.GetCounter().GetValue()
			}
			if value >= 0 && !math.IsInf(value, 0) { // not NaN either
				before[key] = value
			}
		}
	}
	return before, name
}
