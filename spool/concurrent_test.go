package spool_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// Workers share one spool, each with a payload of its own in hand, while the queue is filled again.
func TestOneSpoolServesManyWorkers(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	const workers, each = 8, 20
	for i := range workers * each {
		write(t, dir, fmt.Sprintf("%d.json", i), fmt.Sprintf(`[%d,"left"]`, i), time.Minute)
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				if err := work(s, fmt.Sprintf("%d.json", w*each+i), i%4); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		scan(t, s)
	}
	wg.Wait()
	w := scan(t, s)
	if w.Files != workers*each/4 {
		t.Errorf("%d files are left in the spool, want the rewritten quarter", w.Files)
	}
	for e := range w.Entries.All() {
		wantNames(t, e.Name, bodies(read(t, s, e.Name)), `"left"`)
	}
	if files, _, err := s.CountRejected(); files != workers*each/2 || err != nil {
		t.Errorf("%d are rejected, want half, %v", files, err)
	}
}

// work takes one payload file to its end, in one of four ways.
func work(s *spool.Spool, name string, way int) error {
	p, err := s.Read(spool.Entry{Name: name}, noon, nil)
	if err != nil {
		return err
	}
	switch way {
	case 0:
		return s.Remove(p)
	case 1:
		return s.Rewrite(p, []int{1})
	case 2:
		return s.Reject(p, because())
	}
	if err := s.RejectItem(p, 0, because()); err != nil {
		return err
	}
	return s.Remove(p)
}
