package spool

// A Scanner returns the payload files of a spool, oldest first, a page at a time. It is for one
// goroutine.
type Scanner struct {
	spool *Spool
	limit int
	last  Entry // the last one of the pages so far
	write bool
	spare int64     // bytes that the overflow leaves free
	over  *overflow // the entries that did not fit in the page of the last walk; nil: they are not known
}

// Scanner begins at the oldest payload file. A page holds at most limit of them; 0 is
// DefaultPageSize. With overflow, the entries that do not fit in the first page are written to a
// temporary file in the spool, which has no name. Then each payload file is looked at once, however
// many pages there are, and payload files that are spooled in the meantime are not returned. Each
// page is a [Spool.Scan] of its own without overflow, on systems other than Linux, and where the
// file would leave less than 256 MiB free.
func (s *Spool) Scanner(limit int, overflow bool) *Scanner {
	return &Scanner{spool: s, limit: limit, write: overflow, spare: spareRoom}
}

// Next returns the next page. There is one as long as the last page said that there is More. The
// totals for the whole spool are right in the first page only.
func (sc *Scanner) Next() (Page, error) {
	page, err := sc.next()
	if n := page.Entries.Len(); n > 0 {
		sc.last = page.Entries.At(n - 1)
	} else {
		page.More = false
	}
	if !page.More {
		sc.Close()
	}
	return page, err
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

// Close removes the temporary file. Next does so after the last page.
func (sc *Scanner) Close() {
	if sc.over != nil {
		sc.over.close()
		sc.over = nil
	}
}
