package spool

import (
	"fmt"
	"time"
)

const (
	earliest = 1767225600 // 2026-01-01, Unix seconds: before this program was written no clock is right

	clockFile  = ".clock" // in rejected/: the clockNote
	clockGap   = 8 * 24 * time.Hour
	clockTrust = 24 * time.Hour // for which the clock must go on before it is believed again
)

// A clockNote is what is remembered of the clock from one look at it to the next.
type clockNote struct {
	last      time.Time     // when PruneRejected last looked at the clock
	notBefore time.Time     // nothing is deleted before this time
	interval  time.Duration // between the last two looks, when the clock went forward
}

// readClock reads the note. The notes of earlier versions hold one time, which may be that of a
// clock that had jumped.
func readClock(dir int) (note clockNote, ok bool) {
	text, err := readSmall(dir, clockFile)
	if err != nil {
		return note, false
	}
	var last, notBefore, interval int64
	read, _ := fmt.Sscan(string(text), &last, &notBefore, &interval)
	if read < 3 {
		notBefore, interval = last, 0
	}
	return clockNote{time.Unix(last, 0), time.Unix(notBefore, 0), time.Duration(interval) * time.Second}, read > 0
}

func (n clockNote) String() string {
	return fmt.Sprint(n.last.Unix(), n.notBefore.Unix(), int64(n.interval/time.Second))
}

// clockIsSteady compares the clock with a note of the last look at it, and renews the note. Where
// there is no note yet, the newest file stands for it. The clock may have been moved when more than
// eight days have passed, unless about as many had passed before: runs can be a month apart.
func (s *Spool) clockIsSteady(dir int, now, newest time.Time) (steady bool, jumped time.Duration) {
	note, noted := readClock(dir)
	if !noted {
		note.last = newest
	}
	gap := now.Sub(note.last)
	switch {
	case gap > max(clockGap, 2*note.interval), gap < -clockTrust:
		jumped = gap
		note.notBefore = now.Add(clockTrust)
	case gap < 0 && noted:
		return false, 0
	case gap < time.Hour && noted: // to renew it once an hour is enough
		return !now.Before(note.notBefore), 0
	}
	note.last, note.interval = now, max(gap, 0)
	// A disk that has no room for the note must not keep what takes its room.
	_ = s.replace(dir, clockFile, []byte(note.String()))
	return !now.Before(note.notBefore), jumped
}
