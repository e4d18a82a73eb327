package drain

import (
	"cmp"
	"slices"
	"time"
)

// A DeferredFile is a payload file that holds deferred items.
type DeferredFile struct {
	Name     string
	Items    int       // deferred ones
	Refused  int       // those of them that are not sent again and only wait for rejected/
	Attempts int       // of the item that has most
	Status   int       // of the last answer to one of them; 0: none came
	Last     time.Time // when that was
}

// DeferredFiles returns the payload files that hold deferred items, the most attempts first.
func (x *Index) DeferredFiles() []DeferredFile {
	var all []DeferredFile
	for name, r := range x.files {
		if len(r.Failed) == 0 {
			continue
		}
		f := DeferredFile{Name: name, Items: len(r.Failed)}
		for _, a := range r.Failed {
			f.Attempts = max(f.Attempts, a.Count)
			if a.Refused {
				f.Refused++
			}
			if !a.Last.Before(f.Last) {
				f.Last, f.Status = a.Last, a.Status
			}
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b DeferredFile) int {
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.Name, b.Name))
	})
	return all
}
