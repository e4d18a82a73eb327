package spool

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Pruned says what PruneRejected deleted.
type Pruned struct {
	Files int      // payloads
	Bytes int64    // of payloads and reasons
	Names []string // of the first few payloads
	// ClockJumped says how far the clock was moved since the last time, when that is why nothing is
	// deleted for a day. It is told once.
	ClockJumped time.Duration
}

// maxPrunedNames is how many deleted payloads are named; a thousand are a number.
const maxPrunedNames = 5

// orphanGrace is how old a reason without a payload must be before nobody can be about to move the
// payload.
const orphanGrace = time.Hour

// PruneRejected deletes rejected payloads older than maxAge with their reasons, and then the longest
// rejected ones until payloads and reasons have no more than maxBytes; 0 is no limit. Reasons whose
// payloads are gone are deleted after an hour.
//
// A wrong clock must not delete anything. A payload is as old as the latest of three times says: the
// reason's, the payload file's and that of the file's last change of status, which nobody can set. A
// time before this program was written says nothing, and the payload is as old as if it had been
// rejected now. Nothing is deleted while the clock says such a time, nor for a day after it was moved
// by more than a week or backwards.
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
	steady, jumped, err := s.clockIsSteady(dir, now, newest)
	if err != nil || !steady {
		pruned.ClockJumped = jumped
		return pruned, err
	}

	var total int64
	noteSize := make(map[string]int64, len(notes))
	for _, n := range notes {
		if n.orphan && now.Sub(n.since(dir)) > orphanGrace {
			unix.Unlinkat(dir, n.name+reasonSuffix, 0) // what stays is found again the next time
			continue
		}
		noteSize[n.name] = n.size
		total += n.size
	}
	for _, p := range payloads {
		total += p.size
	}
	type aged struct {
		file
		since time.Time
	}
	var old []aged
	tooLarge := maxBytes > 0 && total > maxBytes
	for _, p := range payloads {
		// Most are kept, and their reasons need not be read for that.
		if !tooLarge && !(maxAge > 0 && now.Sub(p.latest()) > maxAge) {
			continue
		}
		since := p.since(dir)
		if since.Unix() < earliest {
			since = now
			times := []unix.Timespec{unix.NsecToTimespec(now.UnixNano()), unix.NsecToTimespec(now.UnixNano())}
			_ = unix.UtimesNanoAt(dir, p.name, times, unix.AT_SYMLINK_NOFOLLOW) // from now on it has an age
		}
		old = append(old, aged{p, since})
	}
	slices.SortFunc(old, func(a, b aged) int {
		return cmp.Or(a.since.Compare(b.since), strings.Compare(a.name, b.name))
	})
	for _, p := range old {
		if !(maxAge > 0 && now.Sub(p.since) > maxAge) && !(maxBytes > 0 && total > maxBytes) {
			break // what follows is younger
		}
		if err := s.removeRejected(dir, p.name); err != nil {
			return pruned, err
		}
		size := p.size + noteSize[p.name]
		total -= size
		pruned.Files++
		pruned.Bytes += size
		if len(pruned.Names) < maxPrunedNames {
			pruned.Names = append(pruned.Names, p.name)
		}
	}
	if pruned.Files == len(payloads) && len(noteSize) == len(payloads) {
		unix.Unlinkat(dir, clockFile, 0) // nothing is left that a clock could delete
	}
	return pruned, nil
}

// latest is the later one of the times that the file system has.
func (f file) latest() time.Time { return later(f.modTime, f.changed) }

// since is when the payload was rejected, or later.
func (f file) since(dir int) time.Time {
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

const (
	earliest = 1767225600 // 2026-01-01, Unix seconds: before this program was written no clock is right

	clockFile  = ".clock" // in rejected/: when PruneRejected last ran, or may delete again
	clockGap   = 8 * 24 * time.Hour
	clockTrust = 24 * time.Hour // for which the clock must go on before it is believed again
)

// clockIsSteady compares the clock with a note of the last time, and renews the note. Where there is
// no note yet, the newest file stands for it.
func (s *Spool) clockIsSteady(dir int, now, newest time.Time) (steady bool, jumped time.Duration, err error) {
	last, noted := newest, false
	if text, err := readSmall(dir, clockFile); err == nil {
		if seconds, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			last, noted = time.Unix(seconds, 0), true
		}
	}
	next := now
	switch gap := now.Sub(last); {
	case gap > clockGap, gap < -clockTrust:
		jumped = gap
		next = now.Add(clockTrust)
	case gap < 0 && noted:
		return false, 0, nil
	case gap < time.Hour && noted:
		return true, 0, nil // to renew it once an hour is enough
	}
	err = s.replace(dir, clockFile, strconv.AppendInt(nil, next.Unix(), 10))
	return jumped == 0, jumped, err
}
