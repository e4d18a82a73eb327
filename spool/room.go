package spool

import "golang.org/x/sys/unix"

// Room is what a file system has left for users other than root.
type Room struct {
	Bytes         int64
	Inodes        int64
	InodesLimited bool // btrfs and others have no fixed number of inodes
}

// RoomIn returns what the file system of a directory has left.
func RoomIn(dir string) (Room, error) {
	var room Room
	fd, err := openDir(unix.AT_FDCWD, dir, 0)
	if err != nil {
		return room, err
	}
	defer unix.Close(fd)
	return roomOn(fd)
}
