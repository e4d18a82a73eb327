package main

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

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// maxMetricsFile bounds what is read of an earlier metrics file.
const maxMetricsFile = 1 << 20

// writeMetrics puts the samples into --metrics-file, counters added to what they
// were there. A reader sees the old file or the new one, never half of one; a
// crash leaves the old one and the temporary, which the next run takes over.
// Nothing is synced: numbers that a power cut takes are written again a minute
// later, and a file that is damaged by it counts from 0, as every reader of
// counters expects to happen.
//
// The temporary lies in the same directory for the rename. Its name does not end
// in .prom, or node_exporter would read it. It is locked from before the old
// counters are read until it has become the file, so that two processes at work
// (a run that failed before it had the breaker's lock) do not lose each other's
// counts.
func (s *session) writeMetrics(got samples) error {
	path := s.cfg.MetricsFile
	f, err := openMetricsTemporary(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp"))
	if err != nil {
		return fmt.Errorf("cannot write the metrics: %w", err)
	}
	defer f.Close()
	before, name, err := readMetrics(path)
	if err != nil {
		return fmt.Errorf("cannot write the metrics: %w", err)
	}
	if name != "" && name != s.cfg.Name {
		s.log.Warn(fmt.Sprintf("%s held the metrics of breaker %s, not %s", path, name, s.cfg.Name), console.HintKey, "give each listener a --metrics-file of its own")
		before = nil
	}
	got.goOnFrom(before)
	var text bytes.Buffer
	for _, family := range got.families(s.cfg.Name) {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return fmt.Errorf("cannot write the metrics: %w", err)
		}
	}
	if err := fillAndRename(f, text.Bytes(), path); err != nil {
		os.Remove(f.Name()) // it is ours: a disk that is full should not keep half a file
		return fmt.Errorf("cannot write the metrics: %w", err)
	}
	return nil
}

// fillAndRename gives the file its content and its place. Everybody may read it:
// node_exporter runs as a user of its own, and there is no secret in it.
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

// openMetricsTemporary opens and locks the temporary at path, be it new or left
// behind by a crash.
func openMetricsTemporary(path string) (*os.File, error) {
	for range maxLockTries {
		f, err := os.OpenFile(path, lockFlags, 0o644)
		if errors.Is(err, fs.ErrPermission) && os.Remove(path) == nil {
			continue // left behind by another user, root most likely
		}
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				err = errors.New("another process is at it")
			}
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		opened, errOpened := f.Stat()
		there, errThere := os.Lstat(path)
		if errOpened == nil && errThere == nil && os.SameFile(opened, there) {
			if !opened.Mode().IsRegular() {
				f.Close()
				return nil, exit.With(exit.Config, fmt.Errorf("%s is no regular file", path))
			}
			return f, nil
		}
		f.Close() // it has become the metrics file meanwhile
	}
	return nil, fmt.Errorf("%s keeps being replaced", path)
}

// readMetrics returns what the metrics file at path holds, and the breaker whose
// numbers they are. No file, and one that cannot be understood, hold nothing. It
// is an error if something is there that should not be replaced by a file.
func readMetrics(path string) (before samples, name string, err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() {
		return nil, "", exit.With(exit.Config, fmt.Errorf("%s is no regular file", path))
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxMetricsFile))
	if err != nil {
		return nil, "", err
	}
	before, name = parseMetrics(text)
	return before, name, nil
}

// parseMetrics reads the values of the metrics that are ours. Text with an error
// in it holds nothing at all, rather than what stands above the error.
func parseMetrics(text []byte) (before samples, name string) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, ""
	}
	before = samples{}
	for _, m := range metricTable() {
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
