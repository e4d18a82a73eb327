package spool

import (
	"errors"
	"hash/fnv"
	"slices"

	"golang.org/x/sys/unix"
)

// Skips counts entries that were passed over and remembers the first few.
type Skips struct {
	Count   int
	Samples []SkipError
	// Causes are the system's errors behind all of them, one of each.
	Causes []error
	// Hashes stand for the entries, one for each name with its reason, smallest first. A caller
	// that keeps them knows in the next run which entries are new. Of more than MaxHashes entries,
	// only the smallest hashes are kept, always the same ones.
	Hashes []uint64
}

// maxSamples is how many skipped entries are named. A hundred thousand junk entries become a
// number.
const maxSamples = 5

// MaxHashes is how many entries Skips.Hashes tells apart.
const MaxHashes = 256

func (s *Skips) add(name, reason string) { s.Add(SkipError{Name: name, Reason: reason}) }

// Add counts one more skipped entry.
func (s *Skips) Add(e SkipError) {
	s.Count++
	if len(s.Samples) < maxSamples {
		s.Samples = append(s.Samples, e)
	}
	s.addCause(e.Err)
	h := e.hash()
	at, known := slices.BinarySearch(s.Hashes, h)
	if known || at == MaxHashes {
		return
	}
	if len(s.Hashes) == MaxHashes {
		s.Hashes = s.Hashes[:MaxHashes-1]
	}
	s.Hashes = slices.Insert(s.Hashes, at, h)
}

// maxCauses is more than a file system has ways to fail.
const maxCauses = 32

func (s *Skips) addCause(err error) {
	var errno unix.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	if err != nil && len(s.Causes) < maxCauses && !slices.Contains(s.Causes, err) {
		s.Causes = append(s.Causes, err)
	}
}

func (e *SkipError) hash() uint64 {
	h := fnv.New64a()
	h.Write([]byte(e.Name))
	h.Write([]byte{0}) // names hold none
	h.Write([]byte(e.Reason))
	return h.Sum64()
}
