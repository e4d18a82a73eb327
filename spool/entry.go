package spool

import (
	"cmp"
	"math"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// An Entry is a directory entry that names a payload file.
type Entry struct {
	Name    string
	ModTime int64 // nanoseconds since 1970
	Size    int64 // bytes, when it was scanned
}

// Age returns how long ago the file was last modified.
func (e Entry) Age(now time.Time) time.Duration { return now.Sub(time.Unix(0, e.ModTime)) }

// Compare orders entries oldest first: by modification time, then by name. Names alone do not sort
// by time: producers write fractions of seconds with one to four digits.
func (e Entry) Compare(other Entry) int {
	if c := cmp.Compare(e.ModTime, other.ModTime); c != 0 {
		return c
	}
	return strings.Compare(e.Name, other.Name)
}

// identity tells one state of one file from every other. The change time is part of it because it
// cannot be set back. A file that was rewritten to the same size and given its old modification
// time therefore has another identity.
type identity struct {
	dev, ino     uint64
	size         int64
	mtime, ctime unix.Timespec
}

func identify(st *unix.Stat_t) identity {
	return identity{
		dev:   uint64(st.Dev),
		ino:   uint64(st.Ino),
		size:  int64(st.Size),
		mtime: st.Mtim,
		ctime: st.Ctim,
	}
}

// nanoseconds turns a file's time into one number. A time before 1678 or after 2262 does not fit
// and becomes the first or the last one that does.
func nanoseconds(t unix.Timespec) int64 {
	const limit = math.MaxInt64/1_000_000_000 - 1
	switch sec, _ := t.Unix(); {
	case sec > limit:
		return math.MaxInt64
	case sec < -limit:
		return math.MinInt64
	}
	return t.Nano()
}

func isRegular(st *unix.Stat_t) bool { return uint32(st.Mode)&unix.S_IFMT == unix.S_IFREG }

// isPayload reports whether a name is a payload file's: it matches the pattern and does not begin
// with a dot. The directory of rejected payloads is not a payload file, whatever the pattern.
func (s *Spool) isPayload(name string) bool {
	if strings.HasPrefix(name, ".") || name == RejectedDir {
		return false
	}
	if s.cfg.Pattern == defaultPattern { // saves a million calls of path.Match
		return strings.HasSuffix(name, ".json")
	}
	ok, _ := path.Match(s.cfg.Pattern, name)
	return ok
}

// kindName names what a directory entry is, for messages.
func kindName(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFLNK:
		return "a symbolic link"
	case unix.S_IFIFO:
		return "a FIFO"
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFSOCK:
		return "a socket"
	case unix.S_IFBLK, unix.S_IFCHR:
		return "a device"
	}
	return "not a regular file"
}
