package main

import (
	"errors"
	"io/fs"
	"syscall"
)

// exitCode is the process's exit code: sysexits.h, with the shell's 128+n for
// signals.
type exitCode int

const (
	exitOK         exitCode = 0
	exitUsage      exitCode = 64
	exitRejected   exitCode = 65
	exitLeft       exitCode = 69
	exitSpoolFull  exitCode = 73
	exitIO         exitCode = 74
	exitBusy       exitCode = 75
	exitPermission exitCode = 77
	exitConfig     exitCode = 78
	exitHangup     exitCode = 129
	exitInterrupt  exitCode = 130
	exitTerminated exitCode = 143
)

// exitMeaning is one row of the table that help, documentation and tests share.
type exitMeaning struct {
	code    exitCode
	name    string // sysexits.h's, or the signal's
	meaning string
}

// exitMeanings returns every exit code in numeric order.
func exitMeanings() []exitMeaning {
	return []exitMeaning{
		{exitOK, "EX_OK", "drained, or nothing to do"},
		{exitUsage, "EX_USAGE", "wrong flags or arguments"},
		{exitRejected, "EX_DATAERR", "some payloads were rejected, or put refused one"},
		{exitLeft, "EX_UNAVAILABLE", "items are left: the listener is failing or the breaker is open"},
		{exitSpoolFull, "EX_CANTCREAT", "put: the spool or its disk is full"},
		{exitIO, "EX_IOERR", "local I/O error"},
		{exitBusy, "EX_TEMPFAIL", "another run holds the lock, or a limit ended the run with items left"},
		{exitPermission, "EX_NOPERM", "permission denied"},
		{exitConfig, "EX_CONFIG", "wrong configuration"},
		{exitHangup, "SIGHUP", "ended by SIGHUP"},
		{exitInterrupt, "SIGINT", "ended by SIGINT"},
		{exitTerminated, "SIGTERM", "ended by SIGTERM"},
	}
}

// exitRanks orders the codes by who is needed: the first that applies wins.
//
// First what no later run can heal, so that somebody has to change something:
// the configuration, the permissions, the command line. Then the disk, which
// threatens every payload and may heal. Then a spool that is full, where a
// producer loses data now. Then rejected payloads: they are safe, but nobody
// comes back to them unless told. A signal stands below all of these and above
// the passing conditions: whoever sent it knows already that the run did not
// finish, and asks for exactly that code, but a broken disk stays a broken disk
// when systemd stops the unit. Last what the next run heals by itself: a failing
// listener before a limit or a lock, because it may stay and is somebody's.
func exitRanks() []exitCode {
	return []exitCode{
		exitConfig, exitPermission, exitUsage, exitIO, exitSpoolFull, exitRejected,
		exitTerminated, exitInterrupt, exitHangup, exitLeft, exitBusy, exitOK,
	}
}

// worst returns the code of those given that needs a person most; exitOK
// without any.
func worst(codes ...exitCode) exitCode {
	for _, ranked := range exitRanks() {
		for _, c := range codes {
			if c == ranked {
				return c
			}
		}
	}
	return exitOK
}

// failure is an error that knows its exit code. An empty err prints nothing: the
// code alone says it (the breaker is open, as it was in the last run).
type failure struct {
	code exitCode
	err  error
}

func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// fail gives err a code; a nil err stays nil.
func fail(code exitCode, err error) error {
	if err == nil {
		return nil
	}
	return &failure{code, err}
}

// codeOf returns the exit code of an error: the worst of those joined in it.
// Errors nobody gave a code are judged by their cause.
func codeOf(err error) exitCode {
	if err == nil {
		return exitOK
	}
	var codes []exitCode
	for _, e := range flatten(err) {
		codes = append(codes, codeOfOne(e))
	}
	return worst(codes...)
}

func codeOfOne(err error) exitCode {
	var f *failure
	var signal endedBy
	switch {
	case errors.As(err, &f):
		return f.code
	case errors.As(err, &signal):
		return 128 + exitCode(signal.signal)
	case errors.Is(err, fs.ErrPermission):
		return exitPermission
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP):
		return exitConfig // a path that names the wrong kind of thing
	}
	return exitIO
}

// codeOfSkipped judges why an entry was skipped. One that is no payload file at all
// (a link, a FIFO, a socket) concerns nobody. One that the system would not let us
// see is a payload that stays, and nobody knows of it unless the code says so.
func codeOfSkipped(cause error) exitCode {
	switch {
	case cause == nil, isAny(cause, syscall.ELOOP, syscall.EMLINK, syscall.ENXIO, syscall.EOPNOTSUPP):
		return exitOK
	case errors.Is(cause, fs.ErrPermission):
		return exitPermission
	}
	return exitIO
}

func isAny(err error, errnos ...syscall.Errno) bool {
	for _, no := range errnos {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// flatten returns the single errors of a tree of errors.Join.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	// A failure around joined errors gives each of them its code.
	if f, ok := err.(*failure); ok {
		parts := flatten(f.err)
		if len(parts) < 2 {
			return []error{err}
		}
		for i, p := range parts {
			if inner := (*failure)(nil); !errors.As(p, &inner) {
				parts[i] = &failure{f.code, p}
			}
		}
		return parts
	}
	joined, ok := err.(interface{ Unwrap() []error })
	// fmt.Errorf with two %w looks the same but has words of its own.
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}
