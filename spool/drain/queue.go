package drain

import (
	"cmp"
	"slices"

	"github.com/bitville-apm/spoolfwd/spool"
)

// A turn is one payload file's turn to be sent.
type turn struct {
	entry    spool.Entry
	attempts int // of its deferred item with the fewest; 0: it holds items that are not deferred
}

// queue hands out payload files in the order in which they are to be sent: oldest
// first, and last those whose items are all deferred, the fewest attempts first. It holds
// a window of the oldest files and gets the next one when that is used up.
type queue struct {
	scanner  *spool.Scanner
	index    *Index
	window   spool.Page
	next     int
	head     spool.Entry // that of next, once it was looked at
	deferred []turn
	sorted   bool
}

// refill gets the next window.
func (q *queue) refill() (err error) {
	q.window, err = q.scanner.Next()
	return err
}

func (q *queue) close() {
	if q.scanner != nil {
		q.scanner.Close()
	}
}

// peek returns the next turn without taking it; ok is false at the end.
func (q *queue) peek() (t turn, ok bool, err error) {
	for {
		if q.next < q.window.Entries.Len() {
			if q.head.Name == "" {
				q.head = q.window.Entries.At(q.next)
			}
			attempts, others := q.index.rank(q.head.Name)
			if attempts == 0 || others {
				return turn{entry: q.head}, true, nil
			}
			q.deferred = append(q.deferred, turn{entry: q.head, attempts: attempts})
			q.advance()
			continue
		}
		if !q.window.More {
			break
		}
		// Files that this run left behind are older than the last one it
		// took, so the next window cannot bring them up again.
		q.window, q.next = spool.Page{}, 0 // lets go of it before there is another
		if err := q.refill(); err != nil {
			return turn{}, false, err
		}
	}
	if !q.sorted {
		slices.SortFunc(q.deferred, func(a, b turn) int {
			if c := cmp.Compare(a.attempts, b.attempts); c != 0 {
				return c
			}
			return a.entry.Compare(b.entry)
		})
		q.sorted = true
	}
	if len(q.deferred) > 0 {
		return q.deferred[0], true, nil
	}
	return turn{}, false, nil
}

// take takes the turn that peek returned.
func (q *queue) take(t turn) {
	if t.attempts > 0 {
		q.deferred = q.deferred[1:]
		return
	}
	q.advance()
}

func (q *queue) advance() { q.next, q.head = q.next+1, spool.Entry{} }
