package spool

import (
	"slices"
	"strings"
)

// Unmatched counts entries whose names do not match the pattern. They are never sent, and nothing
// is wrong with that, unless a producer names its files otherwise than the pattern expects.
type Unmatched struct {
	Count   int
	Samples []string // the first few by name; a directory's ends with a slash
}

// add counts one more entry.
func (u *Unmatched) add(name string, kind uint8) {
	if kind == kindDirectory {
		name += "/"
	}
	u.Count++
	if at, _ := slices.BinarySearch(u.Samples, name); at < maxSamples {
		u.Samples = slices.Insert(u.Samples, at, name)
		u.Samples = u.Samples[:min(len(u.Samples), maxSamples)]
	}
}

// isOwn reports whether an entry is of this program, or hidden, as temporary files of producers
// are.
func isOwn(name string) bool {
	return strings.HasPrefix(name, ".") || name == RejectedDir || strings.HasSuffix(name, reasonSuffix)
}
