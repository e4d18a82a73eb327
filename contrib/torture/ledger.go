//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ledger is what producers have spooled, by bytes. It knows nothing of file
// names and keys: an item is its bytes.
type ledger struct {
	mu       sync.Mutex
	accounts map[string]*account
	files    []int // items of each file, for the bounds on duplicates
}

// account counts the equal items of some bytes.
type account struct {
	sure  int // spooled for certain
	maybe int // perhaps spooled: a producer was killed over it, or took it back
}

// enter books items. Those that are not sure may be there or not, but never in
// part.
func (l *ledger) enter(sure bool, bodies ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.accounts == nil {
		l.accounts = map[string]*account{}
	}
	for _, body := range bodies {
		a := l.accounts[body]
		if a == nil {
			a = &account{}
			l.accounts[body] = a
		}
		if sure {
			a.sure++
		} else {
			a.maybe++
		}
	}
	l.files = append(l.files, len(bodies))
}

// confirmAll makes every item that was perhaps spooled a certain one.
func (l *ledger) confirmAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.accounts {
		a.sure, a.maybe = a.sure+a.maybe, 0
	}
}

// confirm makes items that were perhaps spooled certain ones.
func (l *ledger) confirm(bodies ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, body := range bodies {
		if a := l.accounts[body]; a != nil && a.maybe > 0 {
			a.maybe, a.sure = a.maybe-1, a.sure+1
		}
	}
}

// doubt says that an item may be gone, because somebody who may do so took it
// away.
func (l *ledger) doubt(bodies ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, body := range bodies {
		if a := l.accounts[body]; a != nil && a.sure > 0 {
			a.sure--
			a.maybe++
		}
	}
}

func (l *ledger) known(body string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accounts[body] != nil
}

// items counts what was spooled.
func (l *ledger) items() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.accounts {
		n += a.sure + a.maybe
	}
	return n
}

// inFlight is how many items a process can have delivered at most without having
// removed them from the spool, with n files in its hands: of an array file, all
// since it was last rewritten.
func (l *ledger) inFlight(n int) (items int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := append([]int(nil), l.files...)
	for range min(n, len(rest)) {
		largest := 0
		for i := range rest {
			if rest[i] > rest[largest] {
				largest = i
			}
		}
		items += rest[largest]
		rest[largest] = 0
	}
	return items
}

// object spools a file that is one item.
func (w *world) object(name, body string) { w.file(name, body, body) }

// array spools a file that is an array of items.
func (w *world) array(name string, bodies ...string) {
	w.file(name, "["+strings.Join(bodies, ", ")+"]", bodies...)
}

// raw spools a file that is no payload, and is to be kept whole all the same.
func (w *world) raw(name, content string) { w.file(name, content, content) }

// file is a producer: it writes under another name and renames. Every file is
// ten seconds younger than the one before, so that their order is certain.
func (w *world) file(name, content string, bodies ...string) {
	w.books.enter(true, bodies...)
	temp := filepath.Join(w.spool, "buffer_"+fmt.Sprintf("%06d", w.made))
	w.must(os.WriteFile(temp, []byte(content), 0o600))
	at := w.began.Add(-time.Hour + time.Duration(w.made)*10*time.Second)
	w.made++
	w.must(os.Chtimes(temp, at, at))
	if w.owner != nil {
		w.must(os.Chown(temp, int(w.owner.Uid), int(w.owner.Gid)))
	}
	w.must(os.Rename(temp, filepath.Join(w.spool, name)))
}
