package spool

import (
	"errors"
	"fmt"
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
	Count int
	First []SkipError
}

// maxNamed is how many skipped entries are named; a hundred thousand junk
// entries are a number.
const maxNamed = 5

func (s *Skips) add(name, reason string) { s.Add(SkipError{Name: name, Reason: reason}) }

// Add counts one more skipped entry.
func (s *Skips) Add(e SkipError) {
	s.Count++
	if len(s.First) < maxNamed {
		s.First = append(s.First, e)
	}
}
