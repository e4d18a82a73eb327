package spool

// DefaultPageSize is how many entries a scan returns at most unless told otherwise: as many as fit
// in some 15 MiB with names of 40 bytes.
const DefaultPageSize = 250_000

// maxYoungest is how many of the payload files that do not fit in a page are named.
const maxYoungest = 1000

// A Page is what one scan of the spool found.
type Page struct {
	// Entries are the oldest payload files behind the position the scan started from, in order, and
	// at most as many as were asked for.
	Entries Entries
	// More says that younger payload files were left out. A Scanner returns them next, and so does
	// a scan from the last entry.
	More bool
	// Youngest are some of the payload files that were left out: the youngest, at most maxYoungest
	// of them, the oldest first.
	Youngest []Entry
	// Files and Bytes count every payload file in the spool, also those outside the page. Oldest is
	// the oldest of them all; its name is empty when there is none.
	Files  int
	Bytes  int64
	Oldest Entry
	// Skipped are entries that have a payload file's name and are something else: symbolic links,
	// FIFOs, directories and the like. The first few are named.
	Skipped Skips
	// Unmatched are entries that have another name.
	Unmatched Unmatched
	// Leftovers are for Sweep: temporary files that a crash left behind, and reasons of rejected
	// payloads. Of very many, only some are named.
	Leftovers []string
}
