package spool

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// PruneRejected deletes rejected payloads older than maxAge, and then the
// longest rejected ones until no more than maxBytes are left; 0 is no limit. It
// returns how many it deleted.
func (s *Spool) PruneRejected(now time.Time, maxAge time.Duration, maxBytes int64) (int, error) {
	if maxAge <= 0 && maxBytes <= 0 {
		return 0, nil
	}
	type candidate struct { // without the reason: they are many, and their reasons large
		name string
		size int64
		time time.Time
	}
	var list []candidate
	var total int64
	err := s.eachRejected(func(r Rejected) {
		list = append(list, candidate{r.Name, r.Size, r.Time()})
		total += r.Size
	})
	if err != nil {
		return 0, err
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(a.time.Compare(b.time), strings.Compare(a.name, b.name))
	})
	pruned := 0
	for _, c := range list {
		old := maxAge > 0 && now.Sub(c.time) > maxAge
		if !old && (maxBytes <= 0 || total <= maxBytes) {
			break // what follows is younger
		}
		if err := s.RemoveRejected(Rejected{Name: c.name}); err != nil {
			return pruned, err
		}
		total -= c.size
		pruned++
	}
	return pruned, nil
}
