package drain

import (
	"sync"
	"time"
)

// An index is bounded, so that what is saved can be read again (maxIndexBytes).
// Deferred items beyond the first keep their place by age; a run that cannot
// remember another delivered one ends.
const (
	maxIndexItems     = 10_000
	maxIndexDelivered = 100_000
	maxIndexFiles     = 20_000
)

// An Index remembers, from one run to the next, which items failed after they
// had reached the listener, which were delivered but are still in their files, and
// what in the spool cannot be sent and has been named.
// The zero Index is empty and is never saved. It is safe for concurrent use by
// the workers of one run.
type Index struct {
	path string

	mu    sync.Mutex
	files map[string]*record // by file name
	items int                // deferred items in all files
	sent  int                // delivered items in all files
	dirty bool

	// skipped are the marks of the entries that runs have skipped and told of.
	skipped []uint64
}

// record is what is known of one payload file.
type record struct {
	// Delivered are the keys of items that have had their 2xx and must never
	// be sent again, although the file still holds them; or are in rejected/.
	Delivered keySet `json:"delivered,omitempty"`
	// Failed are the deferred items by key.
	Failed map[string]Attempts `json:"failed,omitempty"`
	// Others says that the file also holds items that are not deferred.
	Others bool `json:"others,omitempty"`
}

// Attempts is the history of a deferred item.
type Attempts struct {
	Count   int       `json:"attempts"`
	Counted int       `json:"counted"` // those that count against it
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Status  int       `json:"status,omitempty"` // of the last answer
}

// Deferred returns how many items are deferred.
func (x *Index) Deferred() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.items
}

// Undeletable returns how many payload files hold items that were delivered but
// could not be removed.
func (x *Index) Undeletable() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for _, r := range x.files {
		if len(r.Delivered) > 0 {
			n++
		}
	}
	return n
}

// rank returns the attempts of the file's deferred item with the fewest, 0 when
// it has none, and whether it holds other items as well.
func (x *Index) rank(name string) (attempts int, others bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.files[name]
	if r == nil || len(r.Failed) == 0 {
		return 0, true
	}
	for _, a := range r.Failed {
		if attempts == 0 || a.Count < attempts {
			attempts = a.Count
		}
	}
	return attempts, r.Others
}

// delivered reports whether an item has had its 2xx in an earlier run.
func (x *Index) delivered(name, key string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.files[name]
	return r != nil && r.Delivered.has(key)
}

// attempts returns the history of an item, zero when it is not deferred.
func (x *Index) attempts(name, key string) Attempts {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r := x.files[name]; r != nil {
		return r.Failed[key]
	}
	return Attempts{}
}
