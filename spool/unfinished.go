package spool

import (
	"time"

	"golang.org/x/sys/unix"
)

// writeGrace is how long after its last change a file may still be in its producer's hands. Until
// then an empty file, one that somebody has open for writing and one that somebody has locked are
// left alone. After it they are treated like any other, so that a forgotten handle holds up
// nothing.
const writeGrace = 10 * time.Minute

func isRecent(e Entry, now time.Time) bool { return e.Age(now) < writeGrace }

// inUse says who must be done with an open file before it is read; "" means nobody. Until fd is
// closed, nobody can open the file for writing, or lock it against readers, without waiting for us.
//
// A producer that opens the file after that is not seen. One that renames finished files into the
// spool needs no such look.
func inUse(fd int) (reason string) {
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

// Unfinished returns the payload files that a run would leave alone now because they are still
// being written, the one that was changed longest ago first. It looks at the oldest thousand that
// were changed within ten minutes.
func (s *Spool) Unfinished(now time.Time) ([]Entry, error) {
	recent, err := s.Scan(Entry{ModTime: now.Add(-writeGrace).UnixNano()}, maxAsked)
	if err != nil {
		return nil, err
	}
	var found []Entry
	for e := range recent.Entries.All() {
		fd, err := s.openPayload(e.Name)
		if err != nil {
			continue // it is gone, or a run says what is wrong with it
		}
		if e.Size == 0 || inUse(fd) != "" {
			found = append(found, e)
		}
		unix.Close(fd)
	}
	return found, nil
}
