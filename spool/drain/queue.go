package drain

import (
	"cmp"
	"maps"
	"slices"

	"github.com/bitville-apm/spoolfwd/spool"
)

// queue holds the payload files of a run in the order in which they are to be sent: oldest first,
// and behind them those whose items are all deferred, the fewest attempts first. It holds a page of
// the oldest files and turns to the next one when that is used up; in a spool of several pages, the
// deferred files are sorted page by page. A page may hold bad files alone, so that the youngest
// files of the spool are at hand as well, for requests that are to come from elsewhere.
type queue struct {
	scanner *spool.Scanner
	index   *Index
	page    spool.Page
	young   []spool.Entry // the youngest files outside the first page

	youngest line     // those in young
	fresh    line     // the page, without its deferred files
	deferred line     // the deferred files of this page and those before
	last     []queued // those in deferred
}

// queued is a payload file in the queue.
type queued struct {
	spool.Entry
	attempts int // of a deferred file: those of its item with the fewest; otherwise 0
}

// A line is a row of payload files.
type line struct {
	queued  func(at int) queued
	waiting set           // the places of files that have something to send
	inHand  map[int]*file // those of them that were read already: array files
	putBack map[int]fate  // the fates of other files that were put back and are to be read again
}

// A choice is a file's place in its line.
type choice struct {
	line *line
	at   int
}

// nextLocked returns what comes next in a search, without taking it. ok is false if there is
// nothing. While the queue is busy there may be something later, because a request in flight can
// put a file of this page back.
func (q *queue) nextLocked(s search, busy bool) (c choice, ok bool, err error) {
	for q.fresh.waiting.len == 0 && q.page.More {
		if busy {
			return choice{}, false, nil
		}
		if err := q.turnPageLocked(); err != nil {
			return choice{}, false, err
		}
	}
	switch {
	case q.deferred.waiting.len > 0 && s.isForDeferred():
		return q.deferred.chooseLocked(search{failures: s.failures / 14}), true, nil
	case q.youngest.waiting.len > 0 && (s.isForYoungest() || q.fresh.waiting.len == 0):
		return q.youngest.chooseLocked(s), true, nil
	case q.fresh.waiting.len > 0:
		return q.fresh.chooseLocked(s), true, nil
	case q.deferred.waiting.len > 0:
		return q.deferred.chooseLocked(s), true, nil
	}
	return choice{}, false, nil
}

// maxInHand bounds how many array files are in memory because their items were chosen after
// failures.
const maxInHand = 8

// chooseLocked returns the place that comes next in a search.
func (l *line) chooseLocked(s search) choice {
	if s.failures > 0 && len(l.inHand) >= maxInHand {
		read := slices.Sorted(maps.Keys(l.inHand))
		return choice{l, read[s.elsewhere(len(read))]}
	}
	return choice{l, l.waiting.nth(s.elsewhere(l.waiting.len))}
}

// turnPageLocked gets the next page. Files that this run has left behind are older than the last
// file of the page before, so that they do not come up again.
func (q *queue) turnPageLocked() (err error) {
	q.page, q.fresh = spool.Page{}, line{} // lets go of one page before there is another
	if q.page, err = q.scanner.Next(); err != nil {
		return err
	}
	q.lineUpLocked()
	return nil
}

// lineUpLocked puts the files of the page into their lines.
func (q *queue) lineUpLocked() {
	q.fresh.queued = func(at int) queued { return queued{Entry: q.page.Entries.At(at)} }
	q.fresh.waiting = fullSet(q.page.Entries.Len())
	q.deferred.queued = func(at int) queued { return q.last[at] }
	q.takeYoungestLocked()
	if q.index.deferred > 0 {
		q.putLastLocked()
	}
}

// takeYoungestLocked takes the youngest files out of the spool's last pages, so that each is handed
// out once. The first page names them. Deferred ones stay in their pages.
func (q *queue) takeYoungestLocked() {
	if q.youngest.queued == nil {
		isDeferred := func(e spool.Entry) bool { return q.index.deferredAfterLocked(e.Name) > 0 }
		q.young = slices.DeleteFunc(q.page.Youngest, isDeferred)
		q.youngest.queued = func(at int) queued { return queued{Entry: q.young[at]} }
		q.youngest.waiting = fullSet(len(q.young))
	}
	for at := q.page.Entries.Len() - 1; at >= 0 && len(q.young) > 0; at-- {
		place, isYoung := slices.BinarySearchFunc(q.young, q.page.Entries.At(at), spool.Entry.Compare)
		if isYoung {
			q.fresh.waiting.remove(at)
		} else if place == 0 {
			break // all before it are older still
		}
	}
}

// putLastLocked takes the deferred files out of the page.
func (q *queue) putLastLocked() {
	before := len(q.last)
	for at := range q.page.Entries.Len() {
		entry := q.page.Entries.At(at)
		if attempts := q.index.deferredAfterLocked(entry.Name); attempts > 0 && q.fresh.waiting.has(at) {
			q.fresh.waiting.remove(at)
			q.last = append(q.last, queued{entry, attempts})
		}
	}
	slices.SortStableFunc(q.last[before:], func(a, b queued) int { return cmp.Compare(a.attempts, b.attempts) })
	for at := before; at < len(q.last); at++ {
		q.deferred.waiting.add(at)
	}
}

// inHandLocked returns the array files that have items left to send.
func (q *queue) inHandLocked() (files []*file) {
	for _, l := range []*line{&q.youngest, &q.fresh, &q.deferred} {
		for _, f := range l.inHand {
			files = append(files, f)
		}
	}
	return files
}

func (q *queue) close() {
	if q.scanner != nil {
		q.scanner.Close()
	}
}

// keepLocked keeps a file in its place for as long as it has items to hand out.
func (l *line) keepLocked(f *file) {
	at := f.place.at
	if !f.isReadyLocked() {
		l.waiting.remove(at)
		delete(l.inHand, at)
		return
	}
	if l.inHand == nil {
		l.inHand = map[int]*file{}
	}
	l.waiting.add(at)
	l.inHand[at] = f
}

// putBackLocked puts a file of one item back in its place. It is read again when its turn comes.
// Were it held in hand instead, the request after a failure would come from among such files, and
// not from elsewhere in the spool.
func (l *line) putBackLocked(at int, became fate) {
	if l.putBack == nil {
		l.putBack = map[int]fate{}
	}
	l.putBack[at] = became
	l.waiting.add(at)
}

// recallLocked lets a file that was read again know that it was put back.
func (l *line) recallLocked(f *file) {
	was, ok := l.putBack[f.place.at]
	delete(l.putBack, f.place.at)
	if ok && !f.payload.Array && f.fates[0] == untouched {
		f.fates[0] = was
	}
}

func (c choice) queuedLocked() queued { return c.line.queued(c.at) }

// fileLocked returns the file if it was read already, otherwise nil.
func (c choice) fileLocked() *file { return c.line.inHand[c.at] }

// goesAloneLocked is [file.goesAloneLocked] of what was chosen.
func (c choice) goesAloneLocked() bool {
	if f := c.fileLocked(); f != nil {
		return f.goesAloneLocked()
	}
	return c.queuedLocked().attempts > 0 || c.line.putBack[c.at] == batchFailed
}

// sizeLocked is how many bytes the choice adds to a request; a file whose items are not known yet
// counts as a whole.
func (c choice) sizeLocked() int64 {
	if f := c.fileLocked(); f != nil {
		return int64(len(f.payload.Items[f.pending[0]].Body))
	}
	return c.queuedLocked().Size
}
