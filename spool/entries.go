package spool

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"
	"math"
	"slices"
)

// Entries are directory entries in little memory: 18 bytes each, and the name. They are kept in a
// few large pieces without pointers, so that a quarter of a million of them cost the garbage
// collector nothing. The zero value is empty.
type Entries struct {
	records []record
	names   nameStore
}

type record struct {
	modTime int64
	name    uint32 // where names has it
	size    uint32 // bytes; math.MaxUint32 stands for more
}

// Len returns how many entries there are.
func (e Entries) Len() int { return len(e.records) }

// At returns an entry. A Size above 4 GiB is returned as 4 GiB.
func (e Entries) At(i int) Entry {
	r := e.records[i]
	return Entry{Name: string(e.names.at(r.name)), ModTime: r.modTime, Size: int64(r.size)}
}

// All returns the entries one after the other.
func (e Entries) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := range e.records {
			if !yield(e.At(i)) {
				return
			}
		}
	}
}

func (e *Entries) add(entry Entry) {
	e.records = append(e.records, record{
		modTime: entry.ModTime,
		name:    addName(&e.names, entry.Name),
		size:    uint32(min(entry.Size, math.MaxUint32)),
	})
}

// DeleteFunc takes out the entries for which del returns true. It calls del in order, once for
// each.
func (e *Entries) DeleteFunc(del func(Entry) bool) {
	kept := e.records[:0]
	for i, r := range e.records {
		if !del(e.At(i)) {
			kept = append(kept, r)
		}
	}
	e.records = kept
}

// compare is Entry.Compare for records.
func (e *Entries) compare(a, b record) int {
	if c := cmp.Compare(a.modTime, b.modTime); c != 0 {
		return c
	}
	return bytes.Compare(e.names.at(a.name), e.names.at(b.name))
}

func (e *Entries) sort() { slices.SortFunc(e.records, e.compare) }

// truncate drops all entries but the first n, and the room their names take.
func (e *Entries) truncate(n int) {
	e.records = e.records[:n]
	var kept nameStore
	for i, r := range e.records {
		e.records[i].name = addName(&kept, e.names.at(r.name))
	}
	e.names = kept
}

// selectOldest moves the n oldest entries to the front, in no order, and the next oldest behind
// them: quickselect (Hoare, "Algorithm 65: Find", 1961). The scan of a very large spool needs it
// several times and needs an order only at its end.
func (e *Entries) selectOldest(n int) {
	all := e.records
	for low, high := 0, len(all)-1; low < high; {
		pivot := all[low+(high-low)/2]
		i, j := low, high
		for i <= j {
			for e.compare(all[i], pivot) < 0 {
				i++
			}
			for e.compare(all[j], pivot) > 0 {
				j--
			}
			if i <= j {
				all[i], all[j] = all[j], all[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n <= j:
			high = j
		case n >= i:
			low = i
		default:
			return
		}
	}
}

// nameStore holds file names in chunks, each name behind two bytes with its length. One byte is too
// few: some file systems count characters and take names of more than 255 bytes.
type nameStore struct{ chunks [][]byte }

// chunkBits is the size of a chunk, as a power of two. The other bits of 32 number the chunks.
const chunkBits = 16

func addName[T string | []byte](s *nameStore, name T) uint32 {
	last := len(s.chunks) - 1
	if last < 0 || len(s.chunks[last])+2+len(name) > cap(s.chunks[last]) {
		// The first chunk is small, because most spools are.
		size := 1 << chunkBits
		if last < 0 {
			size = 1 << 12
		}
		s.chunks = append(s.chunks, make([]byte, 0, size))
		last++
	}
	at := uint32(last<<chunkBits | len(s.chunks[last]))
	s.chunks[last] = append(binary.NativeEndian.AppendUint16(s.chunks[last], uint16(len(name))), name...)
	return at
}

// at returns a name, which must not be changed.
func (s *nameStore) at(where uint32) []byte {
	b := s.chunks[where>>chunkBits][where&(1<<chunkBits-1):]
	return b[2:][:binary.NativeEndian.Uint16(b)]
}

// size is how many bytes the names take up.
func (s *nameStore) size() int { return len(s.chunks) << chunkBits }
