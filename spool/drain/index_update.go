package drain

import (
	"fmt"
	"slices"

	"github.com/bitville-apm/spoolfwd/spool"
)

// recordLocked returns what is known of a file, and begins a record if there is none.
func (x *Index) recordLocked(name string) *record {
	if x.files == nil {
		x.files = map[string]*record{}
	}
	r := x.files[name]
	if r == nil {
		r = &record{}
		x.files[name] = r
	}
	return r
}

// hasRoomLocked reports whether there is a record of the file or room for one.
func (x *Index) hasRoomLocked(name string) bool {
	return x.files[name] != nil || len(x.files) < maxIndexFiles
}

// addFailureLocked remembers a failed attempt and returns how many count against the item by now.
// An index that is full forgets the attempt.
func (x *Index) addFailureLocked(failed attempt) (counted int) {
	a := x.attemptsLocked(failed.name, failed.key)
	known := a.Count > 0
	if !known {
		a.First = failed.at
	}
	a.Count++
	if failed.blamed {
		a.Counted++
	}
	a.Last, a.Status = failed.at, failed.status
	if !known && (x.deferred >= x.mostDeferred() || !x.hasRoomLocked(failed.name)) {
		return a.Counted
	}
	r := x.recordLocked(failed.name)
	if r.Failed == nil {
		r.Failed = map[string]Attempts{}
	}
	if !known {
		x.deferred++
	}
	r.Failed[failed.key] = a
	r.Others = len(r.Failed)+len(r.Delivered) < failed.items
	x.dirty = true
	return a.Counted
}

// readmitLocked takes back the history of a payload that somebody has moved out of rejected/ by
// hand.
func (x *Index) readmitLocked(name string, reason spool.Reason) {
	if reason.Attempts == 0 || reason.Key == "" || x.files[name] != nil || x.isFullLocked() {
		return
	}
	first := reason.Time
	if reason.First != nil {
		first = *reason.First
	}
	x.recordLocked(name).Failed = map[string]Attempts{reason.Key: {
		Count: reason.Attempts, Counted: reason.Attempts, First: first, Last: reason.Time, Status: reason.Status,
	}}
	x.deferred++
	x.dirty = true
}

// markRefusedLocked remembers that an item whose failure is known belongs in rejected/ and is not
// there.
func (x *Index) markRefusedLocked(name, key string, why error) {
	a := x.attemptsLocked(name, key)
	if a.Count == 0 { // there was no room for it
		return
	}
	a.Refused = true
	if why != nil {
		a.Error = fmt.Sprintf("%.200s", why)
	}
	x.files[name].Failed[key] = a
	x.dirty = true
}

// addDeliveredLocked remembers that an item must never be sent again and could not be cut out of
// its file. It reports whether that was known, and whether there was room to remember it.
func (x *Index) addDeliveredLocked(name, key string) (known, room bool) {
	if r := x.files[name]; r != nil && r.Delivered.has(key) {
		return true, true
	}
	if x.delivered >= maxIndexDelivered || !x.hasRoomLocked(name) {
		return false, false
	}
	r := x.recordLocked(name)
	if r.Delivered == nil {
		r.Delivered = keySet{}
	}
	r.Delivered[key] = struct{}{}
	x.delivered++
	x.dirty = true
	return false, true
}

// forgetLocked drops what is known of a file that is gone, or is another file now.
func (x *Index) forgetLocked(name string) {
	if r := x.files[name]; r != nil {
		x.deferred -= len(r.Failed)
		x.delivered -= len(r.Delivered)
		delete(x.files, name)
		x.dirty = true
	}
}

// keepOnlyLocked brings a file's record in step with the items that are left of it. rewritten says
// that the file holds no others any more.
func (x *Index) keepOnlyLocked(p *spool.Payload, left []int, rewritten bool) {
	r := x.files[p.Name]
	if r == nil {
		return
	}
	was := *r
	x.deferred -= len(was.Failed)
	r.Failed, r.Others = nil, false
	for _, i := range left {
		key := p.Items[i].Key
		a, deferred := was.Failed[key]
		if !deferred {
			r.Others = true
			continue
		}
		if r.Failed == nil {
			r.Failed = map[string]Attempts{}
		}
		r.Failed[key] = a
	}
	x.deferred += len(r.Failed)
	if rewritten {
		x.delivered -= len(r.Delivered)
		r.Delivered = nil
	}
	if len(r.Failed) == 0 && len(r.Delivered) == 0 {
		delete(x.files, p.Name)
	}
	if len(r.Failed) != len(was.Failed) || r.Others != was.Others || len(r.Delivered) != len(was.Delivered) {
		x.dirty = true
	}
}

// pruneLocked forgets files that are gone.
func (x *Index) pruneLocked(s *spool.Spool) {
	for name := range x.files {
		if !s.Has(name) {
			x.forgetLocked(name)
		}
	}
}

// addSkippedLocked remembers the hashes of entries that were skipped, and reports how many of them
// are new. whole says that the run has seen all entries, so that others are gone.
func (x *Index) addSkippedLocked(hashes []uint64, whole bool) (added int) {
	for _, h := range hashes {
		if _, known := slices.BinarySearch(x.skipped, h); !known {
			added++
		}
	}
	now := slices.Clone(hashes)
	if !whole {
		now = append(now, x.skipped...)
		slices.Sort(now)
		now = slices.Compact(now)
		now = now[:min(len(now), spool.MaxHashes)]
	}
	if !slices.Equal(now, x.skipped) {
		x.skipped, x.dirty = now, true
	}
	return added
}
