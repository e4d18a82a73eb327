package spool

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"golang.org/x/sys/unix"
)

// ErrVanished says that a payload file is gone: its producer or a person took it
// away, which is their right.
var ErrVanished = errors.New("the file is gone")

// ErrChanged says that a directory entry is no longer the file that was read.
// Its present contents were never sent, so it must stay.
var ErrChanged = errors.New("the file was changed or replaced while it was being sent")

// A SkipError says why an entry cannot be sent now and is left where it is.
type SkipError struct {
	Name   string
	Reason string
	Err    error // the cause, where a system call gave one
	// Pending says that nothing is wrong: a producer may still be writing.
	Pending bool
}

func (e *SkipError) Error() string { return fmt.Sprintf("%q %s", e.Name, e.Reason) }

// Unwrap returns the system's error, if there was one.
func (e *SkipError) Unwrap() error { return e.Err }

// A RefuseError says why a payload file can never be sent and belongs into
// rejected/: it is not JSON, or empty, or too large.
type RefuseError struct {
	Name   string
	Reason string
}

func (e *RefuseError) Error() string { return fmt.Sprintf("%q %s", e.Name, e.Reason) }

// Skips counts entries that were passed over and remembers the first few.
type Skips struct {
	Count   int
	Samples []SkipError
	// Causes are the system's errors behind them, one of each, also of those
	// that are not named.
	Causes []error
	// Hashes stand for the entries, one for each name with its reason, smallest first. A
	// caller that keeps them knows in the next run which entries are new. Of more than
	// MaxHashes entries, only the smallest hashes are kept, always the same ones.
	Hashes []uint64
}

// maxSamples is how many skipped entries are named; a hundred thousand junk
// entries are a number.
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
