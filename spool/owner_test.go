package spool_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
)

// An administrator who puts, flushes or rejects with sudo must not lock the scheduled runs out of
// what that leaves behind.
func TestWhatRootMakesBelongsToTheSpoolsOwner(t *testing.T) {
	need.Root(t, "hand files over")
	dir := t.TempDir()
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(spool.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	name, err := s.Put(spool.PutConfig{}, time.Now(), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string) {
		t.Helper()
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid != 65534 {
			t.Errorf("%s belongs to uid %d, not to the spool's owner", name, uid)
		}
	}
	check(name)
	p, err := s.Read(spool.Entry{Name: name}, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Reject(p, spool.Reason{Error: "refused"}); err != nil {
		t.Fatal(err)
	}
	check(spool.RejectedDir)
	check(filepath.Join(spool.RejectedDir, name))
	check(filepath.Join(spool.RejectedDir, name+".reason.json"))
}

func TestAnArrayFileOfTooManyItemsIsRefusedBeforeItFillsTheMemory(t *testing.T) {
	dir := t.TempDir()
	data := "[" + strings.Repeat("0,", 1<<17) + "0]"
	if err := os.WriteFile(filepath.Join(dir, "x.json"), []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(spool.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Read(spool.Entry{Name: "x.json"}, time.Now(), nil)
	if err == nil || !strings.Contains(err.Error(), "holds more than the 131072 items") {
		t.Errorf("reading it says %v", err)
	}
}
