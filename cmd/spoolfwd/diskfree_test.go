package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestADiskTellsHowMuchRoomItHas(t *testing.T) {
	free, err := diskFreeOf(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// This test's own files lie on it, so that there must be some.
	if free.bytes <= 0 || free.limited && free.inodes <= 0 {
		t.Errorf("there is no room on a disk in use: %+v", free)
	}
	if _, err := diskFreeOf(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a directory that is not there it says %v", err)
	}
}
