package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

// The spool's owner can do with the spool what he likes in any case.
func TestTheRejectedDirectoryOfTheSpoolsOwnerIsUsed(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		inherited(t, dir)
		rejected := filepath.Join(dir, "rejected")
		must(t, os.Mkdir(rejected, 0o700))
		must(t, os.Chmod(rejected, 0o777))
		must(t, os.Chmod(filepath.Join(dir, "x.json"), 0o644))
		must(t, os.Chown(rejected, producer, team))
		must(t, os.Chown(dir, producer, team))
	}, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		must(t, s.RejectItem(read(t, s, "x.json"), 0, because()))
	})
}

// Deleting needs no room, and is what frees the disk.
func TestAFullDiskDoesNotStopDeletion(t *testing.T) {
	dir := tmpfs(t, "size=64k")
	s, _ := newSpool(t, spool.Config{Dir: dir})
	rejectNow(t, s, time.Now(), "a.json", "b.json")
	fill(t, dir)
	if pruned := prune(t, s, time.Now().Add(2*time.Hour), time.Hour, 0); pruned.Files != 2 {
		t.Errorf("deleted %+v, want both payloads", pruned)
	}
}

// A payload that cannot enter rejected/ stays in the spool whole, and the error names directory and
// cause.
func TestWhatRejectedCannotTakeStaysInTheSpool(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  error
	}{
		{"it is another mount", func(t *testing.T, dir string) {
			rejected := filepath.Join(dir, "rejected")
			must(t, unix.Mount("tmpfs", rejected, "tmpfs", 0, "size=64k,mode=700"))
			t.Cleanup(func() { unix.Unmount(rejected, unix.MNT_DETACH) })
		}, unix.EXDEV},
		{"the spool is read-only", func(t *testing.T, dir string) {
			must(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
		}, unix.EROFS},
		{"there is no inode for it", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "rejected")))
			must(t, os.WriteFile(filepath.Join(dir, "ballast"), nil, 0o600))
			must(t, os.WriteFile(filepath.Join(dir, "more ballast"), nil, 0o600))
		}, unix.ENOSPC},
		{"there is no inode for a reason", func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "ballast"), nil, 0o600))
		}, unix.ENOSPC},
		{"there is no room for a reason", fill, unix.ENOSPC},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := tmpfs(t, "size=64k,nr_inodes=4") // the root, x.json, rejected/ and one more
			must(t, os.Mkdir(filepath.Join(dir, "rejected"), 0o700))
			s, _ := newSpool(t, spool.Config{Dir: dir})
			write(t, dir, "x.json", `[1,2]`, 0)
			p := read(t, s, "x.json")
			tt.spoil(t, dir)
			before := list(t, dir)
			for what, err := range map[string]error{"reject": s.Reject(p, because()), "reject an item": s.RejectItem(p, 0, because())} {
				var unusable *spool.RejectedDirError
				if !errors.As(err, &unusable) || !errors.Is(err, tt.want) || unusable.Foreign() {
					t.Errorf("%s: %v, want %v", what, err, tt.want)
				}
				wantText(t, what, err, dir+"/rejected")
			}
			must(t, s.Unchanged(p))
			wantNames(t, "in the spool", list(t, dir), before...)
			if slices.Contains(before, "rejected") {
				wantNames(t, "in rejected/", list(t, dir, "rejected"))
			}
		})
	}
}
