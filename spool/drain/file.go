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
	payload *spool.Payload
	state   []itemState
	turn    []int // items still to be handed out in this turn, in order
	flying  int
	closed  bool

	deferred bool   // the turn is that of its deferred items
	later    []bool // items whose turn is that other one; nil: none
}

// newFile begins a turn of an array file. In its first turn the items that are
// not deferred are sent, in file order; in the other one those that are, the
// fewest attempts first. A file that was put in the place of one whose items
// were all deferred has only that other turn, so that its items, of which nothing
// is known, go then.
func newFile(p *spool.Payload, x *Index, deferredTurn bool) *file {
	f := &file{payload: p, state: make([]itemState, len(p.Items)), deferred: deferredTurn}
	if !deferredTurn {
		f.later = make([]bool, len(p.Items))
	}
	attempts := make([]int, len(p.Items))
	waits := make([]bool, len(p.Items)) // an equal item must go first
	_, others := x.rank(p.Name)
	onlyTurn := deferredTurn && !others
	for i := range p.Items {
		item := &p.Items[i]
		if x.delivered(p.Name, item.Key) {
			f.state[i] = delivered
			continue
		}
		if item.NextEqual >= 0 {
			waits[item.NextEqual] = true
		}
		a := x.attempts(p.Name, item.Key)
		attempts[i] = a.Count
		if f.later != nil {
			f.later[i] = a.Count > 0
		}
		if (a.Count > 0 == deferredTurn || onlyTurn) && !a.thisRun && !waits[i] {
			f.turn = append(f.turn, i)
		}
	}
	if deferredTurn {
		slices.SortStableFunc(f.turn, func(a, b int) int { return attempts[a] - attempts[b] })
	}
	return f
}

// ready reports whether an item can be handed out.
func (f *file) ready() bool { return len(f.turn) > 0 }

// take hands out the next item.
func (f *file) take() int {
	i := f.turn[0]
	f.turn = f.turn[1:]
	f.state[i] = flying
	f.flying++
	return i
}

// land records what became of an item. The next equal item may go only now,
// and only if this one is out of the way for good: see spool.Item.NextEqual.
func (f *file) land(i int, s itemState) {
	f.flying--
	f.state[i] = s
	if next := f.payload.Items[i].NextEqual; next >= 0 && f.gone(i) && f.state[next] == untouched && (f.later == nil || !f.later[next]) {
		f.turn = slices.Insert(f.turn, 0, next)
	}
}

// settled reports whether this turn is over.
func (f *file) settled() bool { return len(f.turn) == 0 && f.flying == 0 }

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
