package spool

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Pruned says what PruneRejected deleted.
type Pruned struct {
	Files int      // payloads
	Bytes int64    // of payloads and reasons
	Names []string // of the first few payloads
	// ClockJumped says how far the clock went since the last time, when it may have been moved and
	// nothing is deleted for a day because of that. It is told once.
	ClockJumped time.Duration
}

// maxPrunedNames is how many deleted payloads are named; a thousand are a number.
const maxPrunedNames = 5

// orphanGrace is how old a reason without a payload must be before nobody can be about to move the
// payload.
const orphanGrace = time.Hour

// PruneRejected deletes rejected payloads older than maxAge with their reasons, and then the
// longest rejected ones until payloads and reasons have no more than maxBytes; 0 means no limit.
// Reasons whose payloads are gone are deleted after an hour.
//
// A wrong clock must not delete anything. A payload is as old as the latest of three times says:
// the reason's, the payload file's and that of the file's last change of status, which nobody can
// set. A time before this program was written says nothing, and the payload is as old as if it had
// been rejected now. Nothing is deleted while the clock says such a time, nor for a day after it
// went backwards or forwards by more than eight days. Where runs are further apart than that, the
// second of them deletes, and a clock that goes forward by more than twice as far counts as moved.
func (s *Spool) PruneRejected(now time.Time, maxAge time.Duration, maxBytes int64) (Pruned, error) {
	var pruned Pruned
	if maxAge <= 0 && maxBytes <= 0 || now.Unix() < earliest {
		return pruned, nil
	}
	dir, err := s.openRejected(false)
	if err != nil {
		return pruned, ignoreMissing(err)
	}
	defer unix.Close(dir)
	payloads, notes, err := s.readRejected(dir)
	if err != nil || len(payloads)+len(notes) == 0 {
		return pruned, err
	}
	var newest time.Time
	for _, f := range slices.Concat(payloads, notes) {
		newest = later(newest, f.latest())
	}
	steady, jumped := s.clockIsSteady(dir, now, newest)
	if !steady {
		pruned.ClockJumped = jumped
		return pruned, nil
	}

	notesSize, total := s.sizeOfNotes(dir, notes, now)
	for _, p := range payloads {
		total += p.size
	}
	tooOld := func(t time.Time) bool { return maxAge > 0 && now.Sub(t) > maxAge }
	tooMuch := func() bool { return maxBytes > 0 && total > maxBytes }
	for _, p := range oldestFirst(dir, payloads, now, func(p file) bool { return tooMuch() || tooOld(p.latest()) }) {
		if !tooOld(p.since) && !tooMuch() {
			break // what follows is younger
		}
		if err := s.removeRejected(dir, p.name); err != nil {
			return pruned, err
		}
		size := p.size + notesSize[p.name]
		total -= size
		pruned.add(p.name, size)
	}
	if pruned.Files == len(payloads) && len(notesSize) == len(payloads) {
		unix.Unlinkat(dir, clockFile, 0) // nothing is left that a clock could delete
	}
	return pruned, nil
}

func (p *Pruned) add(name string, size int64) {
	p.Files++
	p.Bytes += size
	if len(p.Names) < maxPrunedNames {
		p.Names = append(p.Names, name)
	}
}

// sizeOfNotes returns the sizes of the reasons by payload, and their sum. It deletes those whose
// payload has long been gone.
func (s *Spool) sizeOfNotes(dir int, notes []file, now time.Time) (sizes map[string]int64, total int64) {
	sizes = make(map[string]int64, len(notes))
	for _, n := range notes {
		if n.orphan && now.Sub(rejectedSince(dir, n)) > orphanGrace {
			unix.Unlinkat(dir, n.name+reasonSuffix, 0) // what stays is found again the next time
			continue
		}
		sizes[n.name] = n.size
		total += n.size
	}
	return sizes, total
}

// An agedFile is a payload and the time since when it counts as rejected.
type agedFile struct {
	file
	since time.Time
}

// oldestFirst returns the payloads that may have to go. Most are kept, and the reasons of those
// need not be read.
func oldestFirst(dir int, payloads []file, now time.Time, mayGo func(file) bool) (old []agedFile) {
	for _, p := range payloads {
		if !mayGo(p) {
			continue
		}
		since := rejectedSince(dir, p)
		if since.Unix() < earliest {
			since = now
			times := []unix.Timespec{unix.NsecToTimespec(now.UnixNano()), unix.NsecToTimespec(now.UnixNano())}
			_ = unix.UtimesNanoAt(dir, p.name, times, unix.AT_SYMLINK_NOFOLLOW) // from now on it has an age
		}
		old = append(old, agedFile{p, since})
	}
	slices.SortFunc(old, func(a, b agedFile) int {
		return cmp.Or(a.since.Compare(b.since), strings.Compare(a.name, b.name))
	})
	return old
}

// latest is the later one of the times that the file system has.
func (f file) latest() time.Time { return later(f.modTime, f.changed) }

// rejectedSince is when a payload was rejected, or later.
func rejectedSince(dir int, f file) time.Time {
	if reason := readReason(dir, f.name); reason != nil {
		return later(f.latest(), reason.Time)
	}
	return f.latest()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
