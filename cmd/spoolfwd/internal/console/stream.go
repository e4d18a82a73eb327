// Package console is how the program talks: messages on standard error in the form that their
// reader expects, answers on standard output, and numbers in words.
//
// Nothing that it prints can make a terminal or a log do anything: unprintable characters are
// written as escapes.
package console

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// StreamKind says what reads a stream, which decides how a message on it looks.
type StreamKind int

const (
	Pipe     StreamKind = iota // a pipe, a mail being composed by cron
	Terminal                   // a person: progress is welcome
	Journal                    // journald: it wants a priority and adds the time
	File                       // a log file: lines carry the time
)

// KindOf inspects an open file. JOURNAL_STREAM holds "device:inode" of the journal's socket. The
// variable is inherited by children whose output goes elsewhere, so only equal numbers count
// (systemd.exec(5)).
func KindOf(f *os.File, journalStream string) StreamKind {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return Pipe
	}
	device, inode, ok := strings.Cut(journalStream, ":")
	if ok && device == strconv.FormatUint(uint64(st.Dev), 10) && inode == strconv.FormatUint(uint64(st.Ino), 10) {
		return Journal
	}
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFREG:
		return File
	case IsTerminal(f):
		return Terminal
	}
	return Pipe
}

// IsTerminal reports whether a person may sit at f.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
