package spool

// DefaultPageSize is how many entries a scan returns at most unless told otherwise: as
// many as fit in some 15 MiB with names of 40 bytes.
const DefaultPageSize = 250_000

// A Page is what one scan of the spool found.
type Page struct {
	// Entries are the oldest payload files behind the position the scan
	// started from, in order, at most as many as the scan may hold.
	Entries Entries
	// More says that younger payload files were left out. A Scanner returns them
	// next; so does a scan from the last entry.
	More bool
	// Files and Bytes count every payload file in the spool, those outside the
	// page too. Oldest is the oldest of them; it has no name when there are
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
