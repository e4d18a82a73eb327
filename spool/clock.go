package spool

import (
	"strconv"
	"time"
)

const (
	earliest = 1767225600 // 2026-01-01, Unix seconds: before this program was written no clock is right

	clockFile  = ".clock" // in rejected/: when PruneRejected last ran, or may delete again
	clockGap   = 8 * 24 * time.Hour
	clockTrust = 24 * time.Hour // for which the clock must go on before it is believed again
)

// clockIsSteady compares the clock with a note of the last time, and renews the note. Where there
// is no note yet, the newest file stands for it.
func (s *Spool) clockIsSteady(dir int, now, newest time.Time) (steady bool, jumped time.Duration) {
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
		return false, 0
	case gap < time.Hour && noted:
		return true, 0 // to renew it once an hour is enough
	}
	// A disk that has no room for the note must not keep what takes its room.
	_ = s.replace(dir, clockFile, strconv.AppendInt(nil, next.Unix(), 10))
	return jumped == 0, jumped
}
