package spool

// A Scanner returns the payload files of a spool, oldest first, a page at a
// time. It is for one goroutine.
type Scanner struct {
	spool *Spool
	limit int
	last  Entry // of the pages so far
	write bool
	spare int64     // bytes that the overflow is to leave free
	over  *overflow // what did not fit in the page of the last walk; nil: that is not known
}

// Scanner begins at the oldest payload file. A page holds at most limit of them
// (0: DefaultPageSize). With overflow, what does not fit in the first page is
// written to a temporary file in the spool, which has no name: then each payload
// file is looked at once however many pages there are, and those that are spooled
// in between are not returned. Without it, on systems other than Linux, and where
// that file would leave less than 256 MiB free, each page is a [Spool.Scan].
func (s *Spool) Scanner(limit int, overflow bool) *Scanner {
	return &Scanner{spool: s, limit: limit, write: overflow, spare: spareRoom}
}

// Next returns the next page; there is one as long as the last said that there is
// More. What the page says of the whole spool is true of the first one only.
func (sc *Scanner) Next() (Page, error) {
	w, err := sc.next()
	if n := w.Entries.Len(); n > 0 {
		sc.last = w.Entries.At(n - 1)
	} else {
		w.More = false
	}
	if !w.More {
		sc.Close()
	}
	return w, err
}

func (sc *Scanner) next() (Page, error) {
	if sc.over != nil && sc.over.whole() {
		scan := sc.spool.newScan(sc.last, sc.limit)
		if err := sc.over.each(scan.keep); err == nil {
			return scan.finish(), nil
		}
	}
	sc.Close()
	scan := sc.spool.newScan(sc.last, sc.limit)
	if sc.write {
		sc.over = &overflow{dir: sc.spool.fd, spare: sc.spare}
		scan.over = sc.over
	}
	return scan.walk()
}

// Close gives the room of the temporary file back. Next does it after the last
// page.
func (sc *Scanner) Close() {
	if sc.over != nil {
		sc.over.close()
		sc.over = nil
	}
}
