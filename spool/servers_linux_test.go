package spool

import "testing"

// The numbers are those of linux/magic.h, as statfs(2) returns them.
func TestALeaseOnAFileServerSaysNothingOfWriters(t *testing.T) {
	for _, tt := range []struct {
		name    string
		magic   int64
		server  bool
		machine bool // no other machine has a part in it, so that a lease tells of locks, too
	}{
		{"NFS", 0x6969, true, false},
		{"SMB 2 and later", 0xfe534d42, true, false},
		{"CIFS", 0xff534d42, true, false},
		{"CIFS on a 32-bit machine", 0xff534d42 - 1<<32, true, false},
		{"smbfs", 0x517b, true, false},
		{"ext4", 0xef53, false, true},
		{"XFS", 0x58465342, false, true},
		{"Btrfs", 0x9123683e, false, true},
		{"Btrfs on a 32-bit machine", 0x9123683e - 1<<32, false, true},
		{"tmpfs", 0x01021994, false, true},
		{"overlayfs", 0x794c7630, false, true},
		{"F2FS", 0xf2f52010, false, true},
		{"FUSE", 0x65735546, false, false},
		{"OCFS2", 0x7461636f, false, false},
		{"AFS", 0x5346414f, false, false},
	} {
		if got := isServers(tt.magic); got != tt.server {
			t.Errorf("%s is a server's: %v, want %v", tt.name, got, tt.server)
		}
		if got := isMachines(tt.magic); got != tt.machine {
			t.Errorf("%s is this machine's: %v, want %v", tt.name, got, tt.machine)
		}
	}
}
