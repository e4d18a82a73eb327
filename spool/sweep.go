package spool

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of what a scan names for Sweep. Crashes leave few temporaries, and a person moves some
// thousands of reasons at most; should somebody make a million, memory must hold all the same.
const (
	maxLeftovers = 1000
	maxNotes     = 100_000
)

// Sweep clears up what a scan has found of this program's own files. Only the holder of the run
// lock may call it, since what a run is still writing looks the same. A leftover that cannot be
// cleared up does no harm and stays for the next run.
//
// Temporary files are removed. Put takes no lock, so its own are removed only when no living Put
// can be writing them. The reason of a rejected payload that somebody has moved back into the spool
// by hand gives the payload its name and key again, as [Spool.Retry] does, and is removed then.
func (s *Spool) Sweep(now time.Time, leftovers []string) (back []Returned) {
	for _, name := range leftovers {
		var st unix.Stat_t
		if statAt(s.fd, name, &st) != nil || !isRegular(&st) {
			continue
		}
		if payload, ok := strings.CutSuffix(name, reasonSuffix); ok {
			if r, ok := s.takeBack(now, payload, &st); ok {
				back = append(back, r)
			}
			continue
		}
		if !isTemp(name) || strings.HasPrefix(name, putPrefix) && now.Sub(time.Unix(0, nanoseconds(st.Mtim))) < putGrace {
			continue
		}
		unix.Unlinkat(s.fd, name, 0)
	}
	return back
}

// A Returned is a payload that was moved from rejected/ into the spool by hand.
type Returned struct {
	Name   string // in the spool, where it has its key
	Reason Reason
}

func isTemp(name string) bool {
	return strings.HasSuffix(name, tempSuffix) && (strings.HasPrefix(name, TempPrefix) || strings.HasPrefix(name, putPrefix))
}

// takeBack takes back a payload that was moved from rejected/ together with its reason.
func (s *Spool) takeBack(now time.Time, payload string, note *unix.Stat_t) (back Returned, ok bool) {
	if !s.isTrusted(note.Uid) {
		return back, false // a key that somebody else has chosen could pass for one that was delivered
	}
	data, err := readSmall(s.fd, payload+reasonSuffix)
	reason := asReason(data)
	if err != nil || reason == nil {
		return back, false // it only has such a name
	}
	there, err := exists(s.fd, payload)
	if err != nil || !there && now.Sub(time.Unix(0, nanoseconds(note.Ctim))) < orphanGrace {
		return back, false // the payload may be moved in the next moment
	}
	if there {
		// The payload comes first: without its reason it would be sent under another key.
		if back.Name, ok = s.renameBack(payload, reason); !ok || s.Sync() != nil {
			return back, false
		}
		back.Reason = *reason
	}
	unix.Unlinkat(s.fd, payload+reasonSuffix, 0)
	return back, there
}

// renameBack gives a payload in the spool the name under which it has its key.
func (s *Spool) renameBack(payload string, reason *Reason) (as string, ok bool) {
	for name := range s.retryNames(payload, reason) {
		if name == payload {
			return name, true
		}
		if err := renameNew(s.fd, payload, s.fd, name); !errors.Is(err, unix.EEXIST) {
			return name, err == nil
		}
	}
	return "", false
}
