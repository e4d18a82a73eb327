package drain

import (
	"cmp"
	"time"
)

// An index is bounded, so that a saved one can be read again (maxIndexBytes). A run that cannot
// remember another delivered item ends.
const (
	maxIndexDeferred  = 10_000
	maxIndexDelivered = 100_000
	maxIndexFiles     = 20_000
)

// An Index remembers three things from one run to the next: the items that failed after they had
// reached the listener, the items that were delivered but are still in their files, and the entries
// that cannot be sent and were already reported. The zero Index is empty and is never saved. It is
// for one goroutine at a time; a run guards it with its lock.
type Index struct {
	path        string
	files       map[string]*record // by file name
	deferred    int                // deferred items in all files
	maxDeferred int                // of them at most; default maxIndexDeferred
	delivered   int                // delivered items in all files
	dirty       bool

	// skipped are the hashes of the entries that runs have skipped and told of.
	skipped []uint64
}

// record is what is known of one payload file.
type record struct {
	// Delivered are the keys of items that have had their 2xx, or are in rejected/, and must never
	// be sent again although the file still holds them.
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

	// Refused says that the item belongs in rejected/ and could not be moved there. It is not sent
	// again; runs only try the move. Error is why it was refused.
	Refused bool   `json:"refused,omitempty"`
	Error   string `json:"error,omitempty"`
}

// Deferred returns how many items are deferred.
func (x *Index) Deferred() int { return x.deferred }

// Undeletable returns how many payload files hold items that were delivered but could not be
// removed.
func (x *Index) Undeletable() int {
	n := 0
	for _, r := range x.files {
		if len(r.Delivered) > 0 {
			n++
		}
	}
	return n
}

// isFullLocked reports whether no more failures can be remembered. Then nothing is deferred and all
// goes by age. Otherwise items for which there is no room would stay ahead of those that the index
// knows, which would never have another attempt, never be rejected, and never make room.
func (x *Index) isFullLocked() bool {
	return x.deferred >= x.mostDeferred() || len(x.files) >= maxIndexFiles
}

func (x *Index) mostDeferred() int { return cmp.Or(x.maxDeferred, maxIndexDeferred) }

// deferredAfterLocked returns after how many attempts a file is deferred: those of its item with
// the fewest. It is 0 for a file that holds an item that is not deferred.
func (x *Index) deferredAfterLocked(name string) (attempts int) {
	r := x.files[name]
	if r == nil || r.Others || x.isFullLocked() {
		return 0
	}
	for _, a := range r.Failed {
		if attempts == 0 || a.Count < attempts {
			attempts = a.Count
		}
	}
	return attempts
}

// isDeliveredLocked reports whether an item has had its 2xx in an earlier run.
func (x *Index) isDeliveredLocked(name, key string) bool {
	r := x.files[name]
	return r != nil && r.Delivered.has(key)
}

// holdsDeliveredLocked reports whether a file is known to hold items that have had their 2xx.
func (x *Index) holdsDeliveredLocked(name string) bool {
	r := x.files[name]
	return r != nil && len(r.Delivered) > 0
}

// attemptsLocked returns the history of an item, which is zero when none is known.
func (x *Index) attemptsLocked(name, key string) Attempts {
	if r := x.files[name]; r != nil {
		return r.Failed[key]
	}
	return Attempts{}
}
