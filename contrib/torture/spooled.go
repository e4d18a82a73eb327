//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// spooled counts what producers have spooled, by content. File names and keys play no part: an
// item is its bytes.
type spooled struct {
	mu     sync.Mutex
	counts map[string]*itemCount
	files  []int // items of each file, for the bounds on repeated deliveries
}

// itemCount counts the items with the same bytes.
type itemCount struct {
	sure  int // certainly spooled
	maybe int // perhaps spooled: the producer was killed, or has taken the item back
}

func (s *spooled) add(sure bool, bodies ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = map[string]*itemCount{}
	}
	for _, body := range bodies {
		if s.counts[body] == nil {
			s.counts[body] = &itemCount{}
		}
		if sure {
			s.counts[body].sure++
		} else {
			s.counts[body].maybe++
		}
	}
	s.files = append(s.files, len(bodies))
}

// confirm makes items certain that were perhaps spooled.
func (s *spooled) confirm(bodies ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, body := range bodies {
		if c := s.counts[body]; c != nil && c.maybe > 0 {
			c.maybe, c.sure = c.maybe-1, c.sure+1
		}
	}
}

func (s *spooled) confirmAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.counts {
		c.maybe, c.sure = 0, c.sure+c.maybe
	}
}

// mayBeGone makes items uncertain: somebody was allowed to take them away.
func (s *spooled) mayBeGone(bodies ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, body := range bodies {
		if c := s.counts[body]; c != nil && c.sure > 0 {
			c.maybe, c.sure = c.maybe+1, c.sure-1
		}
	}
}

func (s *spooled) known(body string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[body] != nil
}

func (s *spooled) items() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.counts {
		n += c.sure + c.maybe
	}
	return n
}

// inFlight is the number of items that a process can have delivered without having removed them
// from the spool, when it works on n files at once: all items of the n largest files.
func (s *spooled) inFlight(n int) (items int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sizes := slices.Sorted(slices.Values(s.files))
	for _, size := range sizes[max(0, len(sizes)-n):] {
		items += size
	}
	return items
}

// object spools a file that is one item.
func (e *env) object(name, body string) { e.file(name, body, body) }

// array spools a file that is an array of items.
func (e *env) array(name string, bodies ...string) {
	e.file(name, "["+strings.Join(bodies, ", ")+"]", bodies...)
}

// file is a producer: it writes under a temporary name and renames. Every file is younger than the
// one before, so that their order is certain.
func (e *env) file(name, content string, bodies ...string) {
	e.spooled.add(true, bodies...)
	temp := filepath.Join(e.spool, fmt.Sprintf("buffer_%06d", e.files))
	e.must(os.WriteFile(temp, []byte(content), 0o600))
	at := e.began.Add(-time.Hour + time.Duration(e.files)*e.spacing)
	e.files++
	e.must(os.Chtimes(temp, at, at))
	e.must(os.Rename(temp, filepath.Join(e.spool, name)))
}
