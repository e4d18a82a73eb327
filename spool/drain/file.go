package drain

import (
	"slices"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// fate is what became of an item in this run.
type fate uint8

const (
	untouched   fate = iota // not sent
	inFlight                // being sent
	delivered               // has had its 2xx, now or in an earlier run; or was rejected in one
	rejected                // is in rejected/
	failed                  // was sent, failed and is kept
	lost                    // could not be rejected: its file is gone, or is another one by now
	undecided               // was part of a refused batch that was halved, or was not sent after all
	batchFailed             // was part of a batch that failed, and is to be sent alone
	refused                 // was refused in an earlier run and could not be moved to rejected/
)

// goesAgain reports whether an item is to be sent again in this run.
func (became fate) goesAgain() bool { return became == undecided || became == batchFailed }

// A file is a payload file in hand: it was read, and its items are being sent.
type file struct {
	place    choice
	payload  *spool.Payload
	fates    []fate
	attempts []int // of each item, in earlier runs; more than 0: the item is deferred
	pending  []int // items still to be handed out, in order
	inFlight int

	gone    int       // items that need not stay in the spool
	cut     int       // those of them that are cut out of the file already
	cutAt   time.Time // when it was read or last rewritten
	cutting bool      // it is being rewritten

	one struct { // room for a file of one item, as most are
		fates             [1]fate
		attempts, pending [1]int
	}
}

// cutEvery is how often what is delivered is cut out of an array file that takes long to send. A
// run that is killed again and again still gets on, and repeats no more than that of a file.
const cutEvery = time.Second

// A delivery is an item on its way.
type delivery struct {
	file      *file
	index     int  // of the item in the file
	exhausted bool // it has failed and has no attempt left
	goesAlone bool // no other item may join its request
	inDoubt   bool // it was part of a batch that did not pass: see run.doubtsLocked
}

func (d delivery) item() *spool.Item       { return &d.file.payload.Items[d.index] }
func (d delivery) payload() *spool.Payload { return d.file.payload }

// newFileLocked takes a payload in hand. Items that are not deferred go first, in file order, then
// those that are, the fewest attempts first.
func newFileLocked(p *spool.Payload, place choice, x *Index) *file {
	f := &file{place: place, payload: p}
	f.fates, f.attempts, f.pending = f.one.fates[:], f.one.attempts[:], f.one.pending[:0]
	n := len(p.Items)
	if n != 1 {
		f.fates, f.attempts, f.pending = make([]fate, n), make([]int, n), make([]int, 0, n)
	}
	waits := make([]bool, n) // an equal item must go first
	for i := range p.Items {
		item := &p.Items[i]
		if x.isDeliveredLocked(p.Name, item.Key) {
			f.fates[i] = delivered
			f.gone++
			continue
		}
		if item.NextEqual >= 0 {
			waits[item.NextEqual] = true
		}
		known := x.attemptsLocked(p.Name, item.Key)
		if !x.isFullLocked() {
			f.attempts[i] = known.Count
		}
		switch {
		case known.Refused:
			f.fates[i] = refused
		case !waits[i]:
			f.pending = append(f.pending, i)
		}
	}
	slices.SortStableFunc(f.pending, func(a, b int) int { return f.attempts[a] - f.attempts[b] })
	return f
}

// goesAloneLocked reports whether the next item goes into a request of its own: another item must
// not be blamed for what this one did to the listener.
func (f *file) goesAloneLocked() bool {
	next := f.pending[0]
	return f.attempts[next] > 0 || f.fates[next] == batchFailed
}

// isReadyLocked reports whether an item can be handed out.
func (f *file) isReadyLocked() bool { return len(f.pending) > 0 }

// takeLocked hands out the next item. In a search it comes from elsewhere in the file. A deferred
// item comes after all others. was is its fate until now.
func (f *file) takeLocked(s search) (i int, was fate) {
	at := 0
	if s.failures > 0 {
		n := slices.IndexFunc(f.pending, func(i int) bool { return f.attempts[i] > 0 })
		if n <= 0 {
			n = len(f.pending)
		}
		at = s.elsewhere(n)
	}
	i = f.pending[at]
	if at == 0 {
		f.pending = f.pending[1:]
	} else {
		f.pending = slices.Delete(f.pending, at, at+1)
	}
	was = f.fates[i]
	f.fates[i] = inFlight
	f.inFlight++
	return i, was
}

// settleLocked records what became of an item. The next equal item may go only now, and only if
// this one is out of the way for good: see [spool.Item.NextEqual]. It goes at once, deferred or
// not, since the listener has just taken the same bytes.
func (f *file) settleLocked(i int, became fate) {
	f.inFlight--
	f.fates[i] = became
	switch {
	case f.isGoneLocked(i):
		f.gone++
	case became.goesAgain():
		f.putBackLocked(i)
	}
	if next := f.payload.Items[i].NextEqual; next >= 0 && f.isGoneLocked(i) && f.fates[next] == untouched {
		f.pending = slices.Insert(f.pending, 0, next)
	}
}

// putBackLocked makes an item pending again, in its place.
func (f *file) putBackLocked(i int) {
	isLater := func(j int) bool { return f.attempts[j] > f.attempts[i] || f.attempts[j] == f.attempts[i] && j > i }
	at := slices.IndexFunc(f.pending, isLater)
	if at < 0 {
		at = len(f.pending)
	}
	f.pending = slices.Insert(f.pending, at, i)
}

// isDoneLocked reports whether nothing of the file is left to send in this run.
func (f *file) isDoneLocked() bool { return len(f.pending) == 0 && f.inFlight == 0 && !f.cutting }

// isCutDueLocked reports whether to rewrite the file before all of it is sent.
func (f *file) isCutDueLocked(now time.Time) bool {
	return f.gone > f.cut && now.Sub(f.cutAt) >= cutEvery && !f.cutting && !f.isDoneLocked()
}

// isGoneLocked reports whether an item need not stay in the spool.
func (f *file) isGoneLocked(i int) bool { return f.fates[i] == delivered || f.fates[i] == rejected }

// splitLocked returns the items that must stay in the spool and those that need not.
func (f *file) splitLocked() (left, gone []int) {
	for i := range f.fates {
		if f.isGoneLocked(i) {
			gone = append(gone, i)
		} else {
			left = append(left, i)
		}
	}
	return left, gone
}
