package spool

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// maxNames bounds the memory of a page whose names are very long, in bytes.
const maxNames = 20 << 20

// block is how many names a scan examines in one go, and blocksAtOnce how many blocks it examines
// at once.
const (
	block        = 256
	blocksAtOnce = 4
)

// Scan walks the spool once and returns the oldest payload files behind after, at most limit of
// them. The zero Entry begins with the oldest file, and a limit of 0 is DefaultPageSize. However
// many files the spool has, little more than limit of them are held in memory: when there is no
// more room, the youngest are dropped, and a later scan finds them again. Scan opens no payload
// file and changes nothing.
func (s *Spool) Scan(after Entry, limit int) (Page, error) {
	return s.newScan(after, limit).walk()
}

// scan is one walk through the directory.
type scan struct {
	spool *Spool
	after Entry
	limit int
	room  int         // entries that may be held before the youngest are dropped
	names []candidate // not examined yet

	examining sync.WaitGroup
	free      chan []candidate // room for the blocks that may be examined at once

	mu    sync.Mutex // for what follows; Leftovers and Unmatched of page are the walk's own
	page  Page
	err   error
	cut   Entry     // the oldest entry that was dropped: nothing younger fits
	young Entry     // no older one belongs to the youngest; zero: any may
	over  *overflow // takes what is dropped; nil: a later walk finds it again
}

func (s *Spool) newScan(after Entry, limit int) *scan {
	if limit <= 0 {
		limit = DefaultPageSize
	}
	return &scan{spool: s, after: after, limit: limit, room: limit + limit/4 + 16}
}

// walk fills the page from the directory.
func (sc *scan) walk() (Page, error) {
	err := readDir(sc.spool.fd, sc.visit)
	sc.examine(sc.names) // the only block of most spools needs no goroutine
	sc.examining.Wait()
	if err = cmp.Or(err, sc.err); err != nil {
		return Page{}, fmt.Errorf("spool %s: %w", sc.spool.cfg.Dir, err)
	}
	return sc.finish(), nil
}

// finish returns the page that was filled.
func (sc *scan) finish() Page {
	page := &sc.page
	if page.Entries.Len() > sc.limit {
		sc.keepOldest(sc.limit)
	}
	page.Entries.sort()
	page.keepYoungest()
	return *page
}

// candidate is a directory entry with a payload file's name.
type candidate struct {
	name string
	st   unix.Stat_t
	err  error
}

// visit collects a name.
func (sc *scan) visit(raw []byte, kind uint8) error {
	name := string(raw)
	if isTemp(name) && len(sc.page.Leftovers) < maxLeftovers ||
		strings.HasSuffix(name, reasonSuffix) && len(sc.page.Leftovers) < maxNotes {
		sc.page.Leftovers = append(sc.page.Leftovers, name)
	}
	if !sc.spool.isPayload(name) {
		if !isOwn(name) {
			sc.page.Unmatched.add(name, kind)
		}
		return nil
	}
	if sc.names = append(sc.names, candidate{name: name}); len(sc.names) == block {
		sc.examineAside()
	}
	return nil
}

// examineAside examines the names that were collected while the walk goes on. It waits while as
// many blocks are being examined as may be.
func (sc *scan) examineAside() {
	if sc.free == nil {
		sc.free = make(chan []candidate, blocksAtOnce)
		for range blocksAtOnce {
			sc.free <- nil
		}
	}
	names := sc.names
	sc.names = <-sc.free
	sc.examining.Go(func() {
		sc.examine(names)
		sc.free <- names[:0]
	})
}

// examine asks the kernel about names, which takes most of the time of a scan, and judges them.
func (sc *scan) examine(names []candidate) {
	for i := range names {
		names[i].err = statAt(sc.spool.fd, names[i].name, &names[i].st)
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	for i := range names {
		if err := sc.judge(&names[i]); err != nil && sc.err == nil {
			sc.err = err
		}
	}
}

// judge counts one directory entry and keeps it if it is a payload file.
func (sc *scan) judge(c *candidate) error {
	page := &sc.page
	switch {
	case errors.Is(c.err, unix.ENOENT):
		return nil
	case errors.Is(c.err, unix.ENOMEM):
		return fmt.Errorf("%s: stat: %w", sc.spool.path(c.name), c.err)
	case c.err != nil: // one damaged inode must not stop the others
		page.Skipped.Add(SkipError{Name: c.name, Reason: "cannot be examined: " + c.err.Error(), Err: c.err})
		return nil
	case !isRegular(&c.st):
		page.Skipped.add(c.name, "is "+kindName(uint32(c.st.Mode)))
		return nil
	}
	e := Entry{Name: c.name, ModTime: nanoseconds(c.st.Mtim), Size: int64(c.st.Size)}
	page.Files++
	page.Bytes += e.Size
	if page.Files == 1 || e.Compare(page.Oldest) < 0 {
		page.Oldest = e
	}
	sc.keep(e)
	return nil
}

// keep takes an entry into the page if it belongs there.
func (sc *scan) keep(e Entry) {
	page := &sc.page
	if (sc.after != Entry{}) && e.Compare(sc.after) <= 0 {
		return
	}
	if page.More && e.Compare(sc.cut) >= 0 {
		sc.drop(e)
		return
	}
	page.Entries.add(e)
	if n := page.Entries.Len(); n == sc.room || page.Entries.names.size() > maxNames {
		sc.keepOldest(min(sc.limit, n*4/5))
	}
}

// keepOldest drops all entries but the n oldest.
func (sc *scan) keepOldest(n int) {
	page := &sc.page
	page.Entries.selectOldest(n)
	sc.cut, page.More = page.Entries.At(n), true
	for i := n; i < page.Entries.Len(); i++ {
		sc.drop(page.Entries.At(i))
	}
	page.Entries.truncate(n)
}

// drop leaves an entry out of the page.
func (sc *scan) drop(e Entry) {
	page := &sc.page
	if sc.young.Name == "" || e.Compare(sc.young) > 0 {
		if page.Youngest = append(page.Youngest, e); len(page.Youngest) == 2*maxYoungest {
			page.keepYoungest()
			sc.young = page.Youngest[0]
		}
	}
	if sc.over != nil {
		sc.over.add(e)
	}
}

// keepYoungest sorts the entries that were left out, and forgets all but the youngest.
func (p *Page) keepYoungest() {
	slices.SortFunc(p.Youngest, Entry.Compare)
	p.Youngest = p.Youngest[max(0, len(p.Youngest)-maxYoungest):]
}
