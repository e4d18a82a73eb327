//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stock is what taking stock of a world finds: where every item is.
type stock struct {
	items     int // ever spooled
	delivered int // requests answered with a 2xx
	again     int // of those, the ones that were not the first under their key
	rejected  int
	left      int      // still in the spool
	twice     []string // the first few of those, with their times
	lost      []string
	wrong     []string // everything else that must not be
}

// takeStock is the check of the one invariant that every scenario is about.
// Conservation: each item ever spooled is delivered at least once with identical
// bytes, or in rejected/ with a reason, or still in the spool. What was
// delivered more than once carried the same key each time. Nothing is anywhere
// that nobody spooled, and the state file is whole.
func (w *world) takeStock() (s stock) {
	// keys of the copies of an item that were delivered or rejected. Two copies
	// of equal bytes are two items, and only their keys tell them apart.
	settled := map[string]map[string]bool{}
	settle := func(body, key string) (known bool) {
		if settled[body] == nil {
			settled[body] = map[string]bool{}
		}
		known = settled[body][key]
		settled[body][key] = true
		return known
	}
	first := map[string]time.Time{} // delivery of an item
	batches := map[string]string{}  // their keys
	var keys keyring
	for _, d := range w.endpoint.deliveries() {
		if d.batch != "" {
			// The key is that of the batch: the same one for the same items.
			// Each item is known by its bytes alone.
			if key, known := batches[d.batch]; known && key != d.key {
				s.wrong = append(s.wrong, fmt.Sprintf("a batch was sent under two keys: %.80q", d.batch))
			}
			batches[d.batch] = d.key
		}
		if !w.books.known(d.body) {
			s.wrong = append(s.wrong, fmt.Sprintf("a request carried bytes that nobody spooled: %.80q", d.body))
			continue
		}
		if len(d.key) != 32 {
			s.wrong = append(s.wrong, fmt.Sprintf("a request carried the key %q", d.key))
		}
		keys.enter(&s, d.key, d.payload())
		if !d.accepted() {
			continue
		}
		s.delivered++
		if settle(d.body, w.itemKey(d.key)) {
			s.again++
			if len(s.twice) < 5 {
				s.twice = append(s.twice, fmt.Sprintf("%.80q at %v and at %v", d.body, first[d.body].Sub(w.began), d.at.Sub(w.began)))
			}
		} else {
			first[d.body] = d.at
		}
	}
	for _, r := range w.rejectedFiles(&s) {
		s.rejected++
		if r.key != "" { // that of an item; what is no payload has none
			keys.enter(&s, r.key, r.body)
		}
		settle(r.body, w.itemKey(r.key))
	}
	inSpool := map[string]int{}
	for _, body := range w.spooledBodies(&s) {
		s.left++
		inSpool[body]++
	}
	w.books.mu.Lock()
	defer w.books.mu.Unlock()
	for body, a := range w.books.accounts {
		s.items += a.sure + a.maybe
		if n := len(settled[body]) + inSpool[body]; n < a.sure {
			s.lost = append(s.lost, fmt.Sprintf("%.80q was spooled %d times, and %d of them are to be found", body, a.sure, n))
		}
		if n := len(settled[body]); n > a.sure+a.maybe {
			s.wrong = append(s.wrong, fmt.Sprintf("%.80q was spooled %d times and has %d keys: %v", body, a.sure+a.maybe, n, settled[body]))
		}
		if n := inSpool[body]; n > a.sure+a.maybe {
			s.wrong = append(s.wrong, fmt.Sprintf("%.80q was spooled %d times and is %d times in the spool", body, a.sure+a.maybe, n))
		}
	}
	if err := w.stateIsWhole(); err != nil {
		s.wrong = append(s.wrong, err.Error())
	}
	return s
}

// keyring is what was sent or rejected under each key. A listener takes the second
// of two payloads of one key for the first one come again, and drops it.
type keyring struct{ bodies map[string]string }

func (k *keyring) enter(s *stock, key, body string) {
	if k.bodies == nil {
		k.bodies = map[string]string{}
	}
	if was, known := k.bodies[key]; known && was != body {
		s.wrong = append(s.wrong, fmt.Sprintf("two payloads have the key %s: %.80q and %.80q", key, was, body))
	}
	k.bodies[key] = body
}

// itemKey is a key if it tells items apart: not where they go in batches.
func (w *world) itemKey(key string) string {
	if w.endpoint.batch != "" {
		return ""
	}
	return key
}

// spooledBodies returns the items of all payload files in the spool.
func (w *world) spooledBodies(s *stock) (bodies []string) {
	entries, err := os.ReadDir(w.spool)
	w.must(err)
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".json") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(w.spool, e.Name())
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, fs.ErrPermission) { // made unreadable for the product, which has run
			w.must(os.Chmod(path, 0o600))
			data, err = os.ReadFile(path)
		}
		w.must(err)
		bodies = append(bodies, w.split(s, e.Name(), string(data))...)
	}
	return bodies
}

// split finds the items of a file: the whole file, if that is what somebody
// spooled, or else the elements of its array.
func (w *world) split(s *stock, name, content string) (bodies []string) {
	if w.books.known(content) {
		return []string{content}
	}
	var elements []json.RawMessage
	if json.Unmarshal([]byte(content), &elements) != nil {
		s.wrong = append(s.wrong, fmt.Sprintf("%s holds bytes that nobody spooled: %.80q", name, content))
		return nil
	}
	for _, e := range elements {
		if !w.books.known(string(e)) {
			s.wrong = append(s.wrong, fmt.Sprintf("%s holds an item that nobody spooled: %.80q", name, e))
			continue
		}
		bodies = append(bodies, string(e))
	}
	return bodies
}

// itemsOf is what a producer means by a file of this content: the elements of an
// array, or else the whole.
func (w *world) itemsOf(content string) (bodies []string) {
	var elements []json.RawMessage
	if json.Unmarshal([]byte(content), &elements) != nil {
		return []string{content}
	}
	for _, e := range elements {
		bodies = append(bodies, string(e))
	}
	return bodies
}

// rejectedFile is a payload in rejected/.
type rejectedFile struct{ body, key string }

// rejectedFiles returns what is in rejected/. Each payload must have a reason.
func (w *world) rejectedFiles(s *stock) (all []rejectedFile) {
	dir := filepath.Join(w.spool, "rejected")
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil
	}
	entries, err := os.ReadDir(dir)
	w.must(err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), ".reason.json") || !e.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		w.must(err)
		var reason struct {
			Key   string `json:"idempotency_key"`
			Time  string `json:"time"`
			Error string `json:"error"`
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()+".reason.json"))
		if err != nil || json.Unmarshal(text, &reason) != nil || reason.Error == "" || reason.Time == "" {
			s.wrong = append(s.wrong, fmt.Sprintf("the rejected %s has no reason: %v %q", e.Name(), err, text))
		}
		bodies := w.split(s, "rejected/"+e.Name(), string(data))
		for _, body := range bodies {
			all = append(all, rejectedFile{body: body, key: reason.Key})
		}
	}
	return all
}
