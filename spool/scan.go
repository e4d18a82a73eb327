package spool

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// maxNames bounds the memory of a window whose names are very long, in bytes.
const maxNames = 20 << 20

// block is how many names a scan examines at a time.
const block = 1024

// Scan walks the spool once and returns the oldest payload files behind after
// (the zero Entry: from the beginning), at most limit of them (0: DefaultWindow).
// However many the spool has, it holds little more than limit in memory: when there
// is no more room the youngest are dropped, to be found again by a later scan. It
// opens no payload file and changes nothing.
func (s *Spool) Scan(after Entry, limit int) (Window, error) {
	return s.newScan(after, limit).walk()
}

// scan is one walk under way.
type scan struct {
	spool  *Spool
	after  Entry
	limit  int
	room   int // entries that may be held before the youngest are dropped
	window Window
	names  []candidate // not examined yet
	cut    Entry       // the oldest that was dropped: from here on nothing fits
	over   *overflow   // for what is dropped; nil: it is found again by a later walk
}

func (s *Spool) newScan(after Entry, limit int) *scan {
	if limit <= 0 {
		limit = DefaultWindow
	}
	return &scan{spool: s, after: after, limit: limit, room: limit + limit/4 + 16}
}

// walk fills the window from the directory.
func (sc *scan) walk() (Window, error) {
	err := readDir(sc.spool.fd, sc.visit)
	if err == nil {
		err = sc.examine()
	}
	if err != nil {
		return Window{}, fmt.Errorf("spool %s: %w", sc.spool.cfg.Dir, err)
	}
	return sc.finish(), nil
}

// finish returns the window that was filled.
func (sc *scan) finish() Window {
	w := &sc.window
	if w.Entries.Len() > sc.limit {
		sc.keepOldest(sc.limit)
	}
	w.Entries.sort()
	return *w
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
	if isTemp(name) && len(sc.window.Leftovers) < maxLeftovers {
		sc.window.Leftovers = append(sc.window.Leftovers, name)
	}
	if !sc.spool.isPayload(name) {
		return nil
	}
	if sc.names = append(sc.names, candidate{name: name}); len(sc.names) < block {
		return nil
	}
	return sc.examine()
}

// examine looks at the names that were collected. The kernel takes its time for
// that, most of a scan's, and so several are looked at at once.
func (sc *scan) examine() error {
	const least = block / 8 // for which it is worth to begin a goroutine
	share := max(least, (len(sc.names)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for part := range slices.Chunk(sc.names, share) {
		look := func() {
			for i := range part {
				part[i].err = statAt(sc.spool.fd, part[i].name, &part[i].st)
			}
		}
		if len(sc.names) <= share {
			look()
		} else {
			wg.Go(look)
		}
	}
	wg.Wait()
	for i := range sc.names {
		if err := sc.judge(&sc.names[i]); err != nil {
			return err
		}
	}
	sc.names = sc.names[:0]
	return nil
}

// judge counts what was found and keeps it if it is old enough.
func (sc *scan) judge(c *candidate) error {
	w := &sc.window
	switch {
	case errors.Is(c.err, unix.ENOENT):
		return nil
	case errors.Is(c.err, unix.ENOMEM):
		return fmt.Errorf("%s: stat: %w", sc.spool.path(c.name), c.err)
	case c.err != nil: // one damaged inode must not stop the others
		w.Skipped.Add(SkipError{Name: c.name, Reason: "cannot be examined: " + c.err.Error(), Err: c.err})
		return nil
	case !isRegular(&c.st):
		w.Skipped.add(c.name, "is "+kindName(uint32(c.st.Mode)))
		return nil
	}
	e := Entry{Name: c.name, ModTime: nanoseconds(c.st.Mtim), Size: int64(c.st.Size)}
	w.Files++
	w.Bytes += e.Size
	if w.Files == 1 || e.Compare(w.Oldest) < 0 {
		w.Oldest = e
	}
	sc.keep(e)
	return nil
}

// keep takes an entry into the window if it belongs there.
func (sc *scan) keep(e Entry) {
	w := &sc.window
	if (sc.after != Entry{}) && e.Compare(sc.after) <= 0 {
		return
	}
	if w.More && e.Compare(sc.cut) >= 0 {
		sc.drop(e)
		return
	}
	w.Entries.add(e)
	if n := w.Entries.Len(); n == sc.room || w.Entries.names.size() > maxNames {
		sc.keepOldest(min(sc.limit, n*4/5))
	}
}

// keepOldest drops all entries but the n oldest.
func (sc *scan) keepOldest(n int) {
	w := &sc.window
	w.Entries.selectOldest(n)
	sc.cut, w.More = w.Entries.At(n), true
	for i := n; sc.over != nil && i < w.Entries.Len(); i++ {
		sc.drop(w.Entries.At(i))
	}
	w.Entries.truncate(n)
}

func (sc *scan) drop(e Entry) {
	if sc.over != nil {
		sc.over.add(e)
	}
}

// Has reports whether the spool holds a regular file of that name. When in
// doubt it does.
func (s *Spool) Has(name string) bool {
	if strings.ContainsAny(name, "/\x00") {
		return false // nor does any directory
	}
	var st unix.Stat_t
	switch err := statAt(s.fd, name, &st); err {
	case nil:
		return isRegular(&st)
	case unix.ENOENT, unix.ENAMETOOLONG:
		return false
	}
	return true
}

// Empty reports whether the spool holds no payload file. It looks no further
// than the first.
func (s *Spool) Empty() (bool, error) {
	found := errors.New("found")
	err := readDir(s.fd, func(raw []byte, kind uint8) error {
		if raw[0] == '.' || kind != kindRegular && kind != kindUnknown || !s.isPayload(string(raw)) {
			return nil
		}
		var st unix.Stat_t
		if kind == kindUnknown && (statAt(s.fd, string(raw), &st) != nil || !isRegular(&st)) {
			return nil
		}
		return found
	})
	switch err {
	case nil:
		return true, nil
	case found:
		return false, nil
	}
	return false, fmt.Errorf("spool %s: %w", s.cfg.Dir, err)
}
