package spool

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// DefaultWindow is how many entries a scan holds unless told otherwise.
const DefaultWindow = 1 << 16

// maxLeftovers is how many leftovers a scan names. Crashes leave few of them, and
// should somebody else make a million, memory must hold all the same.
const maxLeftovers = 1000

// A Window is what one scan of the spool found.
type Window struct {
	// Entries are the oldest payload files behind the position the scan
	// started from, in order, at most as many as the scan may hold.
	Entries []Entry
	// More says that younger payload files were left out. Scan again from the
	// last entry to get them.
	More bool
	// Files and Bytes count every payload file in the spool, those outside the
	// window too. Oldest is the oldest of them; it has no name when there are
	// none.
	Files  int
	Bytes  int64
	Oldest Entry
	// Skipped are entries with a payload file's name that are none: symbolic
	// links, FIFOs, directories and the like. The first few are named.
	Skipped Skips
	// Leftovers are temporary files of this package that a crash left behind,
	// for Sweep; where there are very many, the first of them.
	Leftovers []string
}

// Scan walks the spool once and returns the oldest payload files behind after
// (the zero Entry: from the beginning). It holds at most twice limit entries
// (0: DefaultWindow) in memory, however many the spool has: when they are full,
// the younger half is dropped, to be found again by a later scan. It opens no
// payload file and changes nothing.
func (s *Spool) Scan(after Entry, limit int) (Window, error) {
	if limit <= 0 {
		limit = DefaultWindow
	}
	w := Window{}
	var cut Entry // once the window is full, entries from here on do not fit
	full := false
	first := after == Entry{}
	err := readDir(s.fd, func(raw []byte, kind uint8) error {
		if raw[0] == '.' {
			if name := string(raw); isTemp(name) && len(w.Leftovers) < maxLeftovers {
				w.Leftovers = append(w.Leftovers, name)
			}
			return nil
		}
		name := string(raw)
		if !s.isPayload(name) {
			return nil
		}
		var st unix.Stat_t
		switch err := statAt(s.fd, name, &st); {
		case errors.Is(err, unix.ENOENT):
			return nil
		case errors.Is(err, unix.ENOMEM):
			return fmt.Errorf("%s: stat: %w", s.path(name), err)
		case err != nil: // one damaged inode must not stop the others
			w.Skipped.Add(SkipError{Name: name, Reason: "cannot be examined: " + err.Error(), Err: err})
			return nil
		case !isRegular(&st):
			w.Skipped.add(name, "is "+kindName(uint32(st.Mode)))
			return nil
		}
		e := Entry{Name: name, ModTime: nanoseconds(st.Mtim), Size: int64(st.Size)}
		w.Files++
		w.Bytes += e.Size
		if w.Files == 1 || e.Compare(w.Oldest) < 0 {
			w.Oldest = e
		}
		switch {
		case !first && e.Compare(after) <= 0:
		case full && e.Compare(cut) >= 0:
			w.More = true
		default:
			w.Entries = append(w.Entries, e)
			if len(w.Entries) == 2*limit {
				w.keepOldest(limit)
				cut, full = w.Entries[limit-1], true
			}
		}
		return nil
	})
	if err != nil {
		return Window{}, fmt.Errorf("spool %s: %w", s.cfg.Dir, err)
	}
	slices.SortFunc(w.Entries, Entry.Compare)
	if len(w.Entries) > limit {
		w.keepOldest(limit)
	}
	return w, nil
}

// keepOldest drops all but the oldest limit entries.
func (w *Window) keepOldest(limit int) {
	slices.SortFunc(w.Entries, Entry.Compare)
	clear(w.Entries[limit:]) // lets go of the names
	w.Entries = w.Entries[:limit]
	w.More = true
}

// Sweep removes the temporary files that a scan found. Only the holder of the
// run lock may call it: what a run is still writing looks the same. Put takes no
// lock, so its temporaries are swept only when no living Put can own them. A
// file that cannot be removed does no harm and is left for the next run.
func (s *Spool) Sweep(now time.Time, leftovers []string) {
	for _, name := range leftovers {
		var st unix.Stat_t
		if !isTemp(name) || statAt(s.fd, name, &st) != nil || !isRegular(&st) {
			continue
		}
		if strings.HasPrefix(name, putPrefix) && now.Sub(time.Unix(0, nanoseconds(st.Mtim))) < putGrace {
			continue
		}
		unix.Unlinkat(s.fd, name, 0)
	}
}

func isTemp(name string) bool {
	return strings.HasSuffix(name, tempSuffix) && (strings.HasPrefix(name, TempPrefix) || strings.HasPrefix(name, putPrefix))
}

// Has reports whether the spool holds a regular file of that name. When in
// doubt it does.
func (s *Spool) Has(name string) bool {
	if strings.ContainsAny(name, "/\x00") || len(name) > maxName {
		return false // nor does any directory
	}
	var st unix.Stat_t
	err := statAt(s.fd, name, &st)
	return err != nil && !errors.Is(err, unix.ENOENT) || err == nil && isRegular(&st)
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
