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

// inventory says where every item of an environment is.
type inventory struct {
	items     int // ever spooled
	delivered int // requests answered with a 2xx
	repeated  int // deliveries that were not the first under their key
	rejected  int
	left      int      // still in the spool
	examples  []string // of repeated deliveries, with their times
	lost      []string
	wrong     []string // everything else that must not be

	bodies map[string]string // sent or rejected, by key
}

func (i *inventory) wrongf(format string, args ...any) {
	i.wrong = append(i.wrong, fmt.Sprintf(format, args...))
}

// takeInventory checks the one invariant that every scenario is about. Each item ever spooled is
// delivered at least once with identical bytes, or in rejected/ with a reason, or still in the
// spool. An item delivered more than once carried the same key each time. Nothing is anywhere that
// nobody spooled, and the state file is complete.
func (e *env) takeInventory() (i inventory) {
	i.bodies = map[string]string{}
	// The keys under which the copies of an item were delivered or rejected. Two copies of equal
	// bytes are two items, and only their keys tell them apart.
	done := map[string]map[string]bool{}
	note := func(body, key string) (known bool) {
		if done[body] == nil {
			done[body] = map[string]bool{}
		}
		known = done[body][key]
		done[body][key] = true
		return known
	}
	first := map[string]time.Time{} // delivery of an item
	batches := map[string]string{}  // key of a batch
	for _, d := range e.endpoint.deliveries() {
		if d.batch != "" {
			// The key belongs to the batch: the same one for the same items. Each item is known by
			// its bytes alone.
			if key, known := batches[d.batch]; known && key != d.key {
				i.wrongf("a batch was sent under two keys: %.80q", d.batch)
			}
			batches[d.batch] = d.key
		}
		if !e.spooled.known(d.body) {
			i.wrongf("a request carried bytes that nobody spooled: %.80q", d.body)
			continue
		}
		if len(d.key) != 32 {
			i.wrongf("a request carried the key %q", d.key)
		}
		i.checkKey(d.key, d.payload())
		if !d.accepted() {
			continue
		}
		i.delivered++
		if !note(d.body, e.itemKey(d.key)) {
			first[d.body] = d.at
			continue
		}
		i.repeated++
		if len(i.examples) < 5 {
			i.examples = append(i.examples, fmt.Sprintf("%.80q at %v and at %v", d.body, first[d.body].Sub(e.began), d.at.Sub(e.began)))
		}
	}
	for _, r := range e.rejectedItems(&i) {
		i.rejected++
		if r.key != "" { // only an item has a key: a file that is not a payload has none
			i.checkKey(r.key, r.body)
		}
		note(r.body, e.itemKey(r.key))
	}
	inSpool := map[string]int{}
	for _, body := range e.itemsInSpool(&i) {
		i.left++
		inSpool[body]++
	}
	e.spooled.mu.Lock()
	defer e.spooled.mu.Unlock()
	for body, c := range e.spooled.counts {
		n, here := len(done[body]), inSpool[body]
		i.items += c.sure + c.maybe
		if n+here < c.sure {
			i.lost = append(i.lost, fmt.Sprintf("%.80q was spooled %d times, and %d of them can be found", body, c.sure, n+here))
		}
		if n > c.sure+c.maybe {
			i.wrongf("%.80q was spooled %d times and has %d keys: %v", body, c.sure+c.maybe, n, done[body])
		}
		if here > c.sure+c.maybe {
			i.wrongf("%.80q was spooled %d times and is %d times in the spool", body, c.sure+c.maybe, here)
		}
	}
	if _, err := e.readState(); err != nil {
		i.wrong = append(i.wrong, err.Error())
	}
	return i
}

// checkKey checks that two payloads never share a key: a listener that remembers keys would drop
// the second one.
func (i *inventory) checkKey(key, body string) {
	if was, known := i.bodies[key]; known && was != body {
		i.wrongf("two payloads have the key %s: %.80q and %.80q", key, was, body)
	}
	i.bodies[key] = body
}

// itemKey is a key if it tells items apart. The key of a batch does not.
func (e *env) itemKey(key string) string {
	if e.endpoint.batch != "" {
		return ""
	}
	return key
}

// itemsInSpool returns the items of all payload files in the spool.
func (e *env) itemsInSpool(i *inventory) (bodies []string) {
	entries, err := os.ReadDir(e.spool)
	e.must(err)
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !strings.HasSuffix(entry.Name(), ".json") || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(e.spool, entry.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		e.must(err)
		bodies = append(bodies, e.split(i, entry.Name(), string(data))...)
	}
	return bodies
}

// split finds the items of a file: the whole file, if somebody spooled that as one item, otherwise
// the elements of its array.
func (e *env) split(i *inventory, name, content string) (bodies []string) {
	if e.spooled.known(content) {
		return []string{content}
	}
	var elements []json.RawMessage
	if json.Unmarshal([]byte(content), &elements) != nil {
		i.wrongf("%s holds bytes that nobody spooled: %.80q", name, content)
		return nil
	}
	for _, element := range elements {
		if !e.spooled.known(string(element)) {
			i.wrongf("%s holds an item that nobody spooled: %.80q", name, element)
			continue
		}
		bodies = append(bodies, string(element))
	}
	return bodies
}

type rejectedItem struct{ body, key string }

// rejectedItems returns the items in rejected/. Each file there must have a reason.
func (e *env) rejectedItems(i *inventory) (all []rejectedItem) {
	dir := filepath.Join(e.spool, "rejected")
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil
	}
	entries, err := os.ReadDir(dir)
	e.must(err)
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".reason.json") || !entry.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		e.must(err)
		var reason struct {
			Key   string `json:"idempotency_key"`
			Time  string `json:"time"`
			Error string `json:"error"`
		}
		text, err := os.ReadFile(filepath.Join(dir, name+".reason.json"))
		if err != nil || json.Unmarshal(text, &reason) != nil || reason.Error == "" || reason.Time == "" {
			i.wrongf("the rejected %s has no reason: %v %q", name, err, text)
		}
		for _, body := range e.split(i, "rejected/"+name, string(data)) {
			all = append(all, rejectedItem{body: body, key: reason.Key})
		}
	}
	return all
}
