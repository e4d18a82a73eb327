package spool

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestADiskTellsHowMuchRoomItHas(t *testing.T) {
	room, err := RoomIn(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// This test's own files lie on the disk, so there must be some room.
	if room.Bytes <= 0 || room.InodesLimited && room.Inodes <= 0 {
		t.Errorf("there is no room on a disk in use: %+v", room)
	}
	if _, err := RoomIn(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error for a missing directory is %v", err)
	}
}
