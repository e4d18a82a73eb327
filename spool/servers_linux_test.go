package spool

import "testing"

// The numbers are those of linux/magic.h, as statfs(2) returns them.
func TestALeaseOnAFileServerSaysNothingOfWriters(t *testing.T) {
	for _, tt := range []struct {
		name   string
		magic  int64
		server bool
	}{
		{"NFS", 0x6969, true},
		{"SMB 2 and later", 0xfe534d42, true},
		{"CIFS", 0xff534d42, true},
		{"CIFS on a 32-bit machine", 0xff534d42 - 1<<32, true},
		{"smbfs", 0x517b, true},
		{"ext4", 0xef53, false},
		{"XFS", 0x58465342, false},
		{"Btrfs", 0x9123683e, false},
		{"Btrfs on a 32-bit machine", 0x9123683e - 1<<32, false},
		{"tmpfs", 0x01021994, false},
		{"overlayfs", 0x794c7630, false},
	} {
		if got := isServers(tt.magic); got != tt.server {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.server)
		}
	}
}
