package exit

import (
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// coded is an error that knows its exit code. An empty err prints nothing: the code alone says it
// (the breaker is open, as it was in the last run).
type coded struct {
	code Code
	err  error
}

func (c *coded) Error() string {
	if c.err == nil {
		return ""
	}
	return c.err.Error()
}

func (c *coded) Unwrap() error { return c.err }

// With gives err a code; a nil err stays nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return &coded{code, err}
}

// Silently returns an error that has a code and no words, or nil for OK.
func Silently(code Code) error {
	if code == OK {
		return nil
	}
	return &coded{code: code}
}

// Signalled is the cause of a context that a signal cancelled.
type Signalled struct{ Signal syscall.Signal }

func (s Signalled) Error() string { return "ended by " + unix.SignalName(s.Signal) }

// Of returns the exit code of an error: the worst of those joined in it. An error without a code is
// judged by its cause.
func Of(err error) Code {
	code := OK
	for _, e := range Each(err) {
		code = Worst(code, ofOne(e))
	}
	return code
}

func ofOne(err error) Code {
	var c *coded
	var s Signalled
	var rejected *spool.RejectedDirError
	var request *transmit.Error
	switch {
	case errors.As(err, &c):
		return c.code
	case errors.As(err, &s):
		return 128 + Code(s.Signal)
	case errors.As(err, &request) && request.Cause == transmit.NoToken:
		return Config // also where the command may not be executed
	case errors.Is(err, fs.ErrPermission), errors.As(err, &rejected) && rejected.Foreign():
		return Permission
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.EXDEV):
		return Config // a path that leads to the wrong kind of file, or to another file system
	}
	return IO
}

// OfSkipped judges the cause for which an entry of the spool was skipped. An entry that is not a
// payload file at all (a link, a FIFO, a socket) concerns nobody. An entry that the system would
// not let us see may be a payload that stays, and nobody knows of it unless the code says so.
func OfSkipped(cause error) Code {
	notPayloads := []error{syscall.ELOOP, syscall.EMLINK, syscall.ENXIO, syscall.EOPNOTSUPP}
	switch {
	case cause == nil, slices.ContainsFunc(notPayloads, func(e error) bool { return errors.Is(cause, e) }):
		return OK
	case errors.Is(cause, fs.ErrPermission):
		return Permission
	}
	return IO
}

// Each returns the single errors of a tree of errors.Join. A code around joined errors is the code
// of each of them that has none of its own.
func Each(err error) []error {
	if err == nil {
		return nil
	}
	if c, ok := err.(*coded); ok {
		parts := Each(c.err)
		if len(parts) < 2 {
			return []error{err}
		}
		for i, part := range parts {
			if inner := (*coded)(nil); !errors.As(part, &inner) {
				parts[i] = &coded{c.code, part}
			}
		}
		return parts
	}
	// fmt.Errorf with two %w has the same method and words of its own: it is one error.
	if reflect.TypeOf(err) != reflect.TypeOf(errors.Join(err)) {
		return []error{err}
	}
	var all []error
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		all = append(all, Each(e)...)
	}
	return all
}
