package spool_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
)

// Uids and gids that need no entry in /etc/passwd.
const (
	producer = 12345
	team     = 23456
)

// owner describes owner, group and mode of a file.
func owner(t *testing.T, path ...string) string {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Lstat(filepath.Join(path...), &st))
	return fmt.Sprintf("%d:%d %o", st.Uid, st.Gid, st.Mode&0o7777)
}

func wantOwner(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// inherited makes a spool that everybody may write with one file of a producer.
func inherited(t *testing.T, dir string) {
	need.Root(t, "give files away and make file systems")
	must(t, os.Chmod(dir, 0o777))
	write(t, dir, "x.json", `[1,2]`, time.Hour)
	must(t, os.Chown(filepath.Join(dir, "x.json"), producer, team))
	must(t, os.Chmod(filepath.Join(dir, "x.json"), 0o640))
}

func TestRootLeavesFilesToTheirOwners(t *testing.T) {
	need.Root(t, "give files away and make file systems")
	s, dir := newSpool(t, spool.Config{})
	inherited(t, dir)
	p := read(t, s, "x.json")
	must(t, s.RejectItem(p, 0, spool.Reason{}))
	must(t, s.Rewrite(p, []int{1}))
	wantOwner(t, "rewritten", owner(t, dir, "x.json"), "12345:23456 640")
	must(t, s.Reject(read(t, s, "x.json"), spool.Reason{}))
	wantOwner(t, "rejected", owner(t, dir, spool.RejectedDir, "x.json"), "12345:23456 640")
	list, err := s.Rejected()
	must(t, err)
	for _, r := range list {
		name, err := retry(s, r)
		must(t, err)
		wantOwner(t, "put back as "+name, owner(t, dir, name), "12345:23456 640")
	}
	wantOwner(t, "the directory of rejected payloads", owner(t, dir, spool.RejectedDir), "0:0 700")
}

// The mode lets the group read, so it had better be the same group.
func TestAMemberOfTheGroupLeavesFilesToTheGroup(t *testing.T) {
	asUser(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{team}}}, inherited,
		func(t *testing.T, dir string) {
			s, _ := newSpool(t, spool.Config{Dir: dir})
			must(t, s.Rewrite(read(t, s, "x.json"), []int{1}))
			wantOwner(t, "rewritten", owner(t, dir, "x.json"), "65534:23456 640")
		})
}

// A service may be allowed to give files away and nothing else. It cannot change a file any more
// that it has given away.
func TestAServiceThatMayOnlyGiveFilesAwayCanRewrite(t *testing.T) {
	user := &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{team}},
		AmbientCaps: []uintptr{unix.CAP_CHOWN},
	}
	asUser(t, user, inherited, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		must(t, s.Rewrite(read(t, s, "x.json"), []int{1}))
		wantOwner(t, "rewritten", owner(t, dir, "x.json"), "12345:23456 600")
		info, err := os.Stat(filepath.Join(dir, "x.json"))
		must(t, err)
		if !info.ModTime().Equal(noon.Add(-time.Hour)) {
			t.Errorf("its time is %v", info.ModTime())
		}
	})
}

// In a sticky directory only a file's owner, the directory's and root may remove it (unlink(2),
// EPERM). A file that cannot be removed must not be sent.
func TestFilesOfOthersInAStickyDirectoryAreNotSent(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		inherited(t, dir)
		must(t, os.Chmod(filepath.Join(dir, "x.json"), 0o666))
		write(t, dir, "mine.json", `{}`, 0)
		must(t, os.Chown(filepath.Join(dir, "mine.json"), nobody, nobody))
		must(t, unix.Chmod(dir, 0o1777))
	}, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		must(t, s.Preflight())
		_, err := s.Read(spool.Entry{Name: "x.json"}, noon, nil)
		wantSkip(t, err, "belongs to uid 12345 and could not be removed from a sticky directory")
		must(t, s.Remove(read(t, s, "mine.json")))
	})
}

func TestTheOwnerOfAStickyDirectoryMayRemoveEverything(t *testing.T) {
	asNobody(t, func(t *testing.T, dir string) {
		inherited(t, dir)
		must(t, os.Chmod(filepath.Join(dir, "x.json"), 0o666))
		must(t, os.Chown(dir, nobody, nobody))
		must(t, unix.Chmod(dir, 0o1777))
	}, func(t *testing.T, dir string) {
		s, _ := newSpool(t, spool.Config{Dir: dir})
		must(t, s.Preflight())
		must(t, s.Remove(read(t, s, "x.json")))
		wantNames(t, "left", list(t, dir))
	})
}
