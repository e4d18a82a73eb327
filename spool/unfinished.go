package spool

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// writeGrace is how long after its last change a file may still be in its producer's hands. Until
// then an empty file, one that somebody has open for writing and one that somebody has locked are
// left alone. After it they are treated like any other, so that a forgotten handle holds up
// nothing.
const writeGrace = 10 * time.Minute

// isRecent allows for a file server's clock that is a little ahead. A time in a distant future says
// nothing, and must not hold up the file until then.
func isRecent(e Entry, now time.Time) bool { return e.Age(now).Abs() < writeGrace }

// inUse says who must be done with an open file before it is read; "" means nobody. Until fd is
// closed, nobody can open the file for writing, or lock it against readers, without waiting for us.
//
// A producer that opens the file after that is not seen. One that renames finished files into the
// spool needs no such look.
func (s *Spool) inUse(fd int) (reason string) {
	if s.alone && isOurs(fd) {
		return ""
	}
	if again(func() error { return unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) }) == unix.EWOULDBLOCK {
		return "is locked by another program"
	}
	if isOpenForWriting(fd) {
		return "is open for writing"
	}
	return "" // or the file system has neither locks nor leases, and protects nothing
}

// maxAsked bounds how many files Unfinished opens.
const maxAsked = 1000

// An UnfinishedFile is a payload file that its producer may still be writing.
type UnfinishedFile struct {
	Name  string
	Since time.Time // when it was made, or last changed where the file system does not tell
}

// Unfinished returns the payload files that a run would leave alone now because they are still
// being written, the oldest first. It looks at the oldest thousand that were changed within ten
// minutes.
func (s *Spool) Unfinished(now time.Time) ([]UnfinishedFile, error) {
	recent, err := s.Scan(Entry{ModTime: now.Add(-writeGrace).UnixNano()}, maxAsked)
	if err != nil {
		return nil, err
	}
	var found []UnfinishedFile
	for e := range recent.Entries.All() {
		if !isRecent(e, now) {
			break // it and all that follow come from the future
		}
		fd, err := s.openPayload(e.Name)
		if err != nil {
			continue // it is gone, or a run says what is wrong with it
		}
		if e.Size == 0 || s.inUse(fd) != "" {
			f := UnfinishedFile{e.Name, time.Unix(0, e.ModTime)}
			// A producer that goes on writing changes the file again and again.
			if made, ok := madeAt(fd); ok && made.Before(f.Since) {
				f.Since = made
			}
			found = append(found, f)
		}
		unix.Close(fd)
	}
	slices.SortStableFunc(found, func(a, b UnfinishedFile) int { return a.Since.Compare(b.Since) })
	return found, nil
}
