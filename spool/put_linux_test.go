package spool_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestPutOnAFullDiskLeavesNoDebris(t *testing.T) {
	for _, tt := range []struct{ name, options, payload string }{
		{"no room for the contents", "size=64k", `"` + strings.Repeat("x", 10_000) + `"`},
		{"no room for half of the contents", "size=64k", `"` + strings.Repeat("x", 500_000) + `"`},
		{"no room for the file", "size=1m,nr_inodes=3", `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := tmpfs(t, tt.options)
			s, _ := newSpool(t, spool.Config{Dir: dir})
			if !strings.Contains(tt.name, "half") {
				fill(t, dir)
			}
			_ = unix.Mknod(filepath.Join(dir, "the last inode"), unix.S_IFREG|0o600, 0)
			before := list(t, dir)
			_, err := s.Put(spool.PutConfig{}, noon, strings.NewReader(tt.payload))
			if !errors.Is(err, unix.ENOSPC) {
				t.Errorf("put: %v", err)
			}
			wantText(t, tt.name, err, dir, "no space left on device")
			wantNames(t, "in the spool", list(t, dir), before...)
		})
	}
}
