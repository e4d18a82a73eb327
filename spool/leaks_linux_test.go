package spool_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// descriptors counts the open ones of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	return len(list(t, "/proc/self/fd"))
}

func TestDescriptorsStayFlatOverTenThousandPayloads(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	buf := make([]byte, 0, 64)
	before := descriptors(t)
	for i := range 10_000 {
		name := fmt.Sprintf("%d.json", i%10)
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := s.Read(spool.Entry{Name: name}, noon, buf)
		must(t, err)
		must(t, s.Remove(p))
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before and %d after", before, after)
	}
}

// Every way out of every call must close what it opened.
func TestDescriptorsStayFlatThroughErrors(t *testing.T) {
	s, dir := newSpool(t, spool.Config{MaxFileSize: 100})
	strange(t, dir)
	for name, body := range map[string]string{"bad.json": "{", "large.json": strings.Repeat("1", 101), "empty.json": "", "batch.json": "[1,2]"} {
		write(t, dir, name, body, time.Minute)
	}
	// The first round makes rejected/ and the like, and lets the runtime open what it keeps open.
	var before int
	for round := range 20 {
		if round == 1 {
			before = descriptors(t)
		}
		w := scan(t, s)
		for _, name := range append(names(w.Entries), "gone.json", "fifo.json", "directory.json", "socket.json", "link_loop.json", "device.json") {
			p, err := s.Read(spool.Entry{Name: name}, noon, nil)
			if err == nil && p.Array {
				must(t, s.RejectItem(p, 0, because()))
				must(t, s.Rewrite(read(t, s, name), []int{0, 1})) // p is stale now
				if err := s.Rewrite(p, []int{0}); !errors.Is(err, spool.ErrChanged) {
					t.Errorf("a stale rewrite: %v", err)
				}
				if err := s.Reject(p, because()); !errors.Is(err, spool.ErrChanged) {
					t.Errorf("a stale rejection: %v", err)
				}
			} else if refused := (*spool.RefuseError)(nil); errors.As(err, &refused) {
				must(t, s.Reject(p, because()))
			}
		}
		must(t, s.Preflight())
		_, err := s.Put(spool.PutConfig{MaxSpoolFiles: 1}, noon, strings.NewReader("{}"))
		if !errors.Is(err, spool.ErrFull) {
			t.Errorf("put: %v", err)
		}
		rejected, err := s.Rejected()
		must(t, err)
		for _, r := range rejected {
			f, err := s.OpenRejected(r)
			must(t, err)
			must(t, f.Close())
			if s.Reason(r).Item == 0 {
				_, err := retry(s, r)
				must(t, err)
			}
		}
		_, err = s.PruneRejected(noon.Add(time.Hour), time.Minute, 0)
		must(t, err)
		if _, err := spool.Open(spool.Config{Dir: filepath.Join(dir, "good.json")}); err == nil {
			t.Error("a file was opened as a spool")
		}
		must(t, s.Sync())
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before and %d after", before, after)
	}
}
