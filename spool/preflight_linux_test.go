package spool_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

func TestPreflightFindsAttributes(t *testing.T) {
	for name, attribute := range map[string]int{"immutable": immutable, "append-only": appendOnly} {
		t.Run(name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			write(t, dir, "x.json", "{}", 0)
			chattr(t, dir, attribute)
			err := s.Preflight()
			if !errors.Is(err, unix.EPERM) {
				t.Errorf("got %v", err)
			}
			wantText(t, name, err, dir, "files cannot be removed from it")
			wantNames(t, "in the spool", list(t, dir), "x.json") // no debris, run after run
			if err := s.Remove(read(t, s, "x.json")); !errors.Is(err, unix.EPERM) {
				t.Errorf("so it was right: %v", err)
			}
		})
	}
}

// The directory is fine and one file is not. That is found after a delivery.
func TestAnImmutableFileCannotBeRemovedOrReplaced(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "[1,2]", 0)
	chattr(t, filepath.Join(dir, "x.json"), immutable)
	must(t, s.Preflight())
	p := read(t, s, "x.json")
	for what, err := range map[string]error{"remove": s.Remove(p), "rewrite": s.Rewrite(p, []int{1}), "reject": s.Reject(p, because())} {
		if !errors.Is(err, unix.EPERM) {
			t.Errorf("%s: %v", what, err)
		}
		wantText(t, what, err, dir, "x.json")
	}
	wantNames(t, "the spool", list(t, dir), "rejected", "x.json")
	wantNames(t, "in rejected/", list(t, dir, "rejected"))
}

func TestPreflightFindsAReadOnlyFileSystem(t *testing.T) {
	dir := tmpfs(t, "size=64k")
	write(t, dir, "x.json", "[1,2]", 0)
	s, _ := newSpool(t, spool.Config{Dir: dir})
	must(t, s.Preflight())
	must(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	err := s.Preflight()
	if !errors.Is(err, unix.EROFS) {
		t.Errorf("got %v", err)
	}
	wantText(t, "a read-only file system", err, dir, "read-only file system")
	p := read(t, s, "x.json")
	for what, err := range map[string]error{
		"remove": s.Remove(p), "rewrite": s.Rewrite(p, []int{1}), "reject": s.Reject(p, because()), "reject an item": s.RejectItem(p, 0, because()),
	} {
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Deliveries free a full disk, so they must go on: removing works, and a file that cannot be
// rewritten or rejected stays as it is, without debris.
func TestAFullDiskDoesNotStopRemovals(t *testing.T) {
	for _, full := range []struct{ name, options string }{
		{"no blocks", "size=64k"},
		{"no inodes", "size=1m,nr_inodes=8"},
	} {
		t.Run(full.name, func(t *testing.T) {
			dir := tmpfs(t, full.options)
			batch := "[" + strings.Repeat("1,", 3000) + "2]"
			write(t, dir, "x.json", batch, time.Hour)
			write(t, dir, "y.json", batch, time.Hour)
			s, _ := newSpool(t, spool.Config{Dir: dir})
			fill(t, dir)
			for i := range 10 { // until the inodes are used up too
				_ = unix.Mknod(filepath.Join(dir, string(rune('a'+i))), unix.S_IFREG|0o600, 0)
			}
			before := snapshot(t, dir)
			must(t, s.Preflight())
			p := read(t, s, "x.json")
			for what, err := range map[string]error{
				"rewrite": s.Rewrite(p, []int{0, 1}), "reject": s.Reject(p, because()), "reject an item": s.RejectItem(p, 0, because()),
			} {
				if !errors.Is(err, unix.ENOSPC) {
					t.Errorf("%s: %v", what, err)
				}
				wantText(t, what, err, dir)
			}
			after := snapshot(t, dir)
			if full.name == "no blocks" { // an empty directory needs none in a tmpfs
				after = deleteLine(after, "rejected d---------")
			}
			wantNames(t, "the spool", after, before...)
			must(t, s.Remove(p))
			must(t, s.Rewrite(read(t, s, "y.json"), []int{0})) // there is room again
			if got := content(t, dir, "y.json"); got != "[1]" {
				t.Errorf("y.json holds %q", got)
			}
		})
	}
}
