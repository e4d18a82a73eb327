package spool_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestPreflightLeavesNothingBehind(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", 0)
	before := snapshot(t, dir)
	must(t, s.Preflight())
	wantNames(t, "the spool", snapshot(t, dir), before...)
}

func TestPreflightFindsADirectoryThatMayNotBeWritten(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		must(t, os.Chmod(dir, 0o555))
	}, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		err := s.Preflight()
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v", err)
		}
		wantText(t, "a directory that may not be written", err, dir, "files cannot be removed from it: permission denied")
	})
}
