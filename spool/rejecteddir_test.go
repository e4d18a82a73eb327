package spool_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
)

// wantUnusable checks that every use of rejected/ says why it is not used, and changes nothing.
func wantUnusable(t *testing.T, s *spool.Spool, p *spool.Payload, says string) {
	t.Helper()
	_, errList := s.Rejected()
	_, _, errCount := s.CountRejected()
	_, errRetry := retry(s, spool.Rejected{Name: "old.json"})
	for what, err := range map[string]error{
		"reject": s.Reject(p, because()), "reject an item": s.RejectItem(p, 0, because()),
		"list": errList, "count": errCount, "retry": errRetry, "remove": s.RemoveRejected(spool.Rejected{Name: "old.json"}),
	} {
		var unusable *spool.RejectedDirError
		if !errors.As(err, &unusable) || !unusable.Foreign() {
			t.Errorf("%s: %v", what, err)
		}
		wantText(t, what, err, s.Dir()+"/rejected: "+says)
	}
}

// In a spool that everybody may write to, somebody else may have made the directory beforehand, to
// read or replace the payloads of others.
func TestARejectedDirectoryOfAnotherUserIsNotUsed(t *testing.T) {
	need.Root(t, "give files away")
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", `[1,2]`, 0)
	p := read(t, s, "x.json")
	rejected := filepath.Join(dir, "rejected")
	must(t, os.Mkdir(rejected, 0o700))
	write(t, dir, "rejected/old.json", "{}", 0)
	must(t, os.Chown(rejected, nobody, nobody))
	before := snapshot(t, dir)
	wantUnusable(t, s, p, "it belongs to another user, uid 65534")
	wantNames(t, "the spool", snapshot(t, dir), before...)
}

func TestARejectedDirectoryThatOthersMayWriteToIsNotUsed(t *testing.T) {
	for _, tt := range []struct {
		name            string
		spool, rejected fs.FileMode
		used            bool
	}{
		{"by everybody", 0o755, 0o707, false},
		{"by the group", 0o755, 0o770, false},
		{"by everybody, in a spool in which nobody may remove the files of others", 0o777 | fs.ModeSticky, 0o777, false},
		{"by the group that may remove everything from the spool anyway", 0o770, 0o770, true},
		{"by everybody, where there are no modes", 0o777, 0o777, true},
		{"by nobody", 0o777, 0o755, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			rejected := filepath.Join(dir, "rejected")
			must(t, os.Mkdir(rejected, 0o700))
			must(t, os.Chmod(dir, tt.spool))
			must(t, os.Chmod(rejected, tt.rejected))
			s, _ := newSpool(t, spool.Config{Dir: dir})
			write(t, dir, "x.json", `[1,2]`, 0)
			p := read(t, s, "x.json")
			if tt.used {
				must(t, s.RejectItem(p, 0, because()))
				return
			}
			wantUnusable(t, s, p, "other users may write to it")
			wantNames(t, "in rejected/", list(t, rejected))
		})
	}
}

// The caller cuts the item out of its file when RejectItem says that there is a copy. A file of the
// right name proves nothing.
func TestAFileThatIsThereAlreadyCountsOnlyIfItsBytesAreTheItems(t *testing.T) {
	for name, occupy := range map[string]func(path string) error{
		"other bytes":     func(path string) error { return os.WriteFile(path, []byte("9"), 0o600) },
		"more bytes":      func(path string) error { return os.WriteFile(path, []byte("1 "), 0o600) },
		"nothing":         func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"a directory":     func(path string) error { return os.Mkdir(path, 0o700) },
		"a dangling link": func(path string) error { return os.Symlink("nowhere", path) },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			write(t, dir, "x.json", `[1,2]`, 0)
			p := read(t, s, "x.json")
			must(t, os.Mkdir(filepath.Join(dir, "rejected"), 0o700))
			must(t, occupy(filepath.Join(dir, "rejected", "x.key-"+p.Items[0].Key+".json")))
			for range 2 { // the second time there is a copy
				must(t, s.RejectItem(p, 0, because()))
			}
			second := "x.2.key-" + p.Items[0].Key + ".json"
			if got := content(t, dir, "rejected", second); got != "1" {
				t.Errorf("the copy holds %q", got)
			}
			if n := len(list(t, dir, "rejected")); n != 3 {
				t.Errorf("in rejected/: %q", list(t, dir, "rejected"))
			}
		})
	}
}
