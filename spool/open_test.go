package spool_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestBrokenPatternsAreRefused(t *testing.T) {
	for _, pattern := range []string{"[", "a[", `\`, "buffer/*.json"} {
		if _, err := spool.Open(spool.Config{Dir: t.TempDir(), Pattern: pattern}); !errors.Is(err, path.ErrBadPattern) {
			t.Errorf("pattern %q: %v", pattern, err)
		}
	}
}

func TestOpenNamesTheDirectoryAndTheCause(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "", 0)
	for _, tt := range []struct {
		name string
		dir  string
		want error
	}{
		{"a missing directory", filepath.Join(dir, "missing"), fs.ErrNotExist},
		{"a file", filepath.Join(dir, "file"), syscall.ENOTDIR},
	} {
		_, err := spool.Open(spool.Config{Dir: tt.dir})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		wantText(t, tt.name, err, tt.dir)
	}
}

func TestOpenSaysWhenTheDirectoryMayNotBeRead(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		if err := os.Chmod(dir, 0o300); err != nil {
			t.Fatal(err)
		}
	}, func(t *testing.T, dir string) {
		_, err := spool.Open(spool.Config{Dir: dir})
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a directory that may not be read: %v", err)
		}
	})
}

func TestDirReturnsTheDirectoryOfTheSpool(t *testing.T) {
	if s, dir := newSpool(t, spool.Config{}); s.Dir() != dir {
		t.Errorf("Dir is %q", s.Dir())
	}
}
