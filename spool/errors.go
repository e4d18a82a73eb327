package spool

import (
	"errors"
	"fmt"
)

// ErrVanished says that a payload file is gone. Its producer or a person took it away, which is
// their right.
var ErrVanished = errors.New("the file is gone")

// ErrChanged says that a directory entry is no longer the file that was read. Its present contents
// were never sent, so it must stay.
var ErrChanged = errors.New("the file was changed or replaced while it was being sent")

// ErrFull says that the spool holds as much as the limits of Put allow.
var ErrFull = errors.New("the spool is full")

// ErrInvalid says that Put was given a payload that a run would only reject. The cause is wrapped
// beside it.
var ErrInvalid = errors.New("not a payload")

// ErrForeign says that the spool belongs to another user and that root does not work there.
var ErrForeign = errors.New("root does not work in the directory of another user")

// An OpenError says why the spool directory cannot be opened.
type OpenError struct {
	Dir string
	Err error
}

func (e *OpenError) Error() string { return fmt.Sprintf("spool %s: %v", e.Dir, e.Err) }
func (e *OpenError) Unwrap() error { return e.Err }

// A PreflightError says that files cannot be removed from the spool, and why.
type PreflightError struct {
	Dir string
	Err error
}

func (e *PreflightError) Error() string {
	return fmt.Sprintf("spool %s: files cannot be removed from it: %v", e.Dir, e.Err)
}

func (e *PreflightError) Unwrap() error { return e.Err }

// A RejectedDirError says why rejected/ cannot be used, or cannot take a payload. The payload stays
// in the spool.
type RejectedDirError struct {
	Path string
	Name string // of the payload file; "" when rejected/ cannot be used at all
	Err  error
}

func (e *RejectedDirError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("%s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("%s: cannot take %q: %v", e.Path, e.Name, e.Err)
}

func (e *RejectedDirError) Unwrap() error { return e.Err }

// Foreign reports whether rejected/ is not used because it belongs to another user, or because
// others may write to it.
func (e *RejectedDirError) Foreign() bool {
	return errors.Is(e.Err, errRejectedForeign) || errors.Is(e.Err, errRejectedOpen)
}

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

// A RefuseError says why a payload file can never be sent and belongs into rejected/.
type RefuseError struct {
	Name string
	Err  error // a predicate: "is empty"
}

func (e *RefuseError) Error() string { return fmt.Sprintf("%q %v", e.Name, e.Err) }
func (e *RefuseError) Unwrap() error { return e.Err }

var errEmpty = errors.New("is empty")

// A TooLargeError says that a payload has more bytes than [Config].MaxFileSize.
type TooLargeError struct {
	Size int64 // 0: it was not read to its end
	Max  int64
}

func (e *TooLargeError) Error() string {
	if e.Size == 0 {
		return fmt.Sprintf("has more than the %d bytes that are allowed", e.Max)
	}
	return fmt.Sprintf("has %d bytes, more than the %d that are allowed", e.Size, e.Max)
}

// A TooManyItemsError says that an array file holds more items than a file may.
type TooManyItemsError struct{ Max int }

func (e *TooManyItemsError) Error() string {
	return fmt.Sprintf("holds more than the %d items that a file may", e.Max)
}
