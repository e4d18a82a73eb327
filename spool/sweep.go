package spool

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxLeftovers is how many leftovers a scan names. Crashes leave few of them, and
// should somebody else make a million, memory must hold all the same.
const maxLeftovers = 1000

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
