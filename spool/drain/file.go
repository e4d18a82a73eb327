package drain

import (
	"slices"

	"github.com/bitville-apm/spoolfwd/spool"
)

// itemState is what became of an item of an array file in this run.
type itemState uint8

const (
	untouched itemState = iota // not sent in this run
	flying                     // being sent
	delivered                  // has had its 2xx, now or in an earlier run; or was rejected in one
	rejected                   // is in rejected/
	failed                     // was sent, failed and is kept
)

// file is an array file whose items are being sent. Its fields are guarded by
// the run's lock.
type file struct {
	payload  *spool.Payload
	state    []itemState
	deferred []bool // items that failed in an earlier run
	pending  []int  // items still to be handed out, in order
	flying   int
	closed   bool
}

// newFile takes an array file in hand. Items that are not deferred go first, in
// file order, then those that are, the fewest attempts first.
func newFile(p *spool.Payload, x *Index) *file {
	f := &file{payload: p, state: make([]itemState, len(p.Items)), deferred: make([]bool, len(p.Items))}
	attempts := make([]int, len(p.Items))
	waits := make([]bool, len(p.Items)) // an equal item must go first
	for i := range p.Items {
		item := &p.Items[i]
		if x.delivered(p.Name, item.Key) {
			f.state[i] = delivered
			continue
		}
		if item.NextEqual >= 0 {
			waits[item.NextEqual] = true
		}
		attempts[i] = x.attempts(p.Name, item.Key).Count
		f.deferred[i] = attempts[i] > 0
		if !waits[i] {
			f.pending = append(f.pending, i)
		}
	}
	slices.SortStableFunc(f.pending, func(a, b int) int { return attempts[a] - attempts[b] })
	return f
}

// ready reports whether an item can be handed out.
func (f *file) ready() bool { return len(f.pending) > 0 }

// take hands out the next item.
func (f *file) take() int {
	i := f.pending[0]
	f.pending = f.pending[1:]
	f.state[i] = flying
	f.flying++
	return i
}

// land records what became of an item. The next equal item may go only now, and
// only if this one is out of the way for good: see spool.Item.NextEqual. It goes
// at once, deferred or not, since the listener has just taken the same bytes.
func (f *file) land(i int, s itemState) {
	f.flying--
	f.state[i] = s
	if next := f.payload.Items[i].NextEqual; next >= 0 && f.gone(i) && f.state[next] == untouched {
		f.pending = slices.Insert(f.pending, 0, next)
	}
}

// settled reports whether nothing of the file is left to send in this run.
func (f *file) settled() bool { return len(f.pending) == 0 && f.flying == 0 }

// gone reports whether an item need not stay in the spool.
func (f *file) gone(i int) bool { return f.state[i] == delivered || f.state[i] == rejected }

// left returns the items that must stay in the spool, and whether any need not.
func (f *file) left() (left []int, shrunk bool) {
	for i := range f.state {
		if f.gone(i) {
			shrunk = true
		} else {
			left = append(left, i)
		}
	}
	return left, shrunk
}

// done returns the items that need not stay.
func (f *file) done() (items []int) {
	for i := range f.state {
		if f.gone(i) {
			items = append(items, i)
		}
	}
	return items
}
