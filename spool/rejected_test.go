package spool_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// quarantine rejects n payload files of 10 bytes, one a minute until noon.
func quarantine(t *testing.T, s *spool.Spool, dir string, n int) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("%d.json", i)
		write(t, dir, name, `"23456789"`, time.Hour)
		must(t, s.Reject(read(t, s, name), spool.Reason{Time: noon.Add(-time.Duration(n-1-i) * time.Minute)}))
	}
}

func mustList(t *testing.T, s *spool.Spool) []spool.Rejected {
	t.Helper()
	all, err := s.Rejected()
	must(t, err)
	return all
}

func rejectedNames(t *testing.T, s *spool.Spool) []string {
	t.Helper()
	names := []string{}
	for _, r := range mustList(t, s) {
		names = append(names, r.Name)
	}
	return names
}

func TestASpoolWithoutTheDirectoryHasRejectedNothing(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	wantNames(t, "rejected", rejectedNames(t, s))
	if files, bytes, err := s.CountRejected(); files != 0 || bytes != 0 || err != nil {
		t.Errorf("%d files, %d bytes, %v", files, bytes, err)
	}
	if pruned, err := s.PruneRejected(noon, time.Hour, 1); pruned.Files != 0 || err != nil {
		t.Errorf("pruned %+v, %v", pruned, err)
	}
	wantNames(t, "looking at it made it", list(t, dir))
}

func TestRejectedListsTheLongestRejectedFirst(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	quarantine(t, s, dir, 3)
	// One without a reason is as old as its payload.
	write(t, dir, "old.json", `"23456789"`, 2*time.Hour)
	must(t, s.Reject(read(t, s, "old.json"), spool.Reason{Time: noon}))
	must(t, os.Remove(filepath.Join(dir, "rejected", "old.json.reason.json")))
	wantNames(t, "rejected", rejectedNames(t, s), "old.json", "0.json", "1.json", "2.json")
	if files, bytes, err := s.CountRejected(); files != 4 || bytes != 40 || err != nil {
		t.Errorf("%d files, %d bytes, %v", files, bytes, err)
	}
	all, err := s.Rejected()
	must(t, err)
	if r := all[3]; r.Size != 10 || !r.ModTime.Equal(noon.Add(-time.Hour)) || !r.Time.Equal(noon) || s.Reason(r) == nil {
		t.Errorf("the last is %+v", r)
	}
	if r := all[0]; s.Reason(r) != nil || !r.Time.Equal(noon.Add(-2*time.Hour)) {
		t.Errorf("the one without a reason is %+v", r)
	}
}

func TestJunkInRejectedIsNotAPayload(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	quarantine(t, s, dir, 1)
	must(t, os.Mkdir(filepath.Join(dir, "rejected", "directory.json"), 0o700))
	must(t, os.Symlink("0.json", filepath.Join(dir, "rejected", "link.json")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "rejected", "fifo.json"), 0o600))
	write(t, dir, "rejected/.hidden", "", 0)
	write(t, dir, "rejected/alone.json.reason.json", "{}", 0)
	wantNames(t, "rejected", rejectedNames(t, s), "0.json")
	if files, bytes, err := s.CountRejected(); files != 1 || bytes != 10 || err != nil {
		t.Errorf("%d files, %d bytes, %v", files, bytes, err)
	}
}

// Even a reason may be something else by now. A FIFO that somebody holds open must not be waited
// for.
func TestADamagedReasonCountsAsMissing(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"missing":       func(t *testing.T, path string) {},
		"empty":         func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o600)) },
		"half":          func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte(`{"file":"0.js`), 0o600)) },
		"of wrong kind": func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte(`{"status":"422"}`), 0o600)) },
		"a directory":   func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) },
		"a link":        func(t *testing.T, path string) { must(t, os.Symlink("/etc/passwd", path)) },
		"a FIFO that is held open": func(t *testing.T, path string) {
			must(t, syscall.Mkfifo(path, 0o600))
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			must(t, err)
			t.Cleanup(func() { f.Close() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newSpool(t, spool.Config{})
			quarantine(t, s, dir, 1)
			path := filepath.Join(dir, "rejected", "0.json.reason.json")
			must(t, os.Remove(path))
			damage(t, path)
			if reason := s.Reason(onlyRejected(t, s)); reason != nil {
				t.Errorf("the reason is %+v", reason)
			}
		})
	}
}

func TestOpenRejectedReadsPayloadsOnly(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	quarantine(t, s, dir, 1)
	f, err := s.OpenRejected(onlyRejected(t, s))
	must(t, err)
	defer f.Close()
	if data, err := io.ReadAll(f); err != nil || string(data) != `"23456789"` {
		t.Errorf("read %q, %v", data, err)
	}
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "rejected", "link.json")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "rejected", "fifo.json"), 0o600))
	for _, name := range []string{"link.json", "fifo.json", "gone.json", "."} {
		if f, err := s.OpenRejected(spool.Rejected{Name: name}); err == nil {
			f.Close()
			t.Errorf("%s was opened", name)
		}
	}
}

func TestRemoveRejectedRemovesPayloadAndReason(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	quarantine(t, s, dir, 2)
	all, err := s.Rejected()
	must(t, err)
	must(t, s.RemoveRejected(all[0]))
	must(t, s.RemoveRejected(all[0])) // what is gone is gone
	wantNames(t, "in rejected/", list(t, dir, "rejected"), "1.json", "1.json.reason.json")
}
