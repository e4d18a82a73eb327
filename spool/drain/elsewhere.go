package drain

import "math/bits"

// elsewhere returns which of n things in a row comes next after so many failures in succession: the
// first, as long as nothing fails, and after a failure one from elsewhere in the row. Payloads that
// are bad together stand together, being one producer's or one minute's; a listener that fails does
// so everywhere. So a few failures in different places speak of the listener.
//
// Every second choice is near the end, where good payloads may have arrived since: mostly the very
// last. The others spread over the row, as evenly as can be for however many there will be (van der
// Corput's sequence). The first, with which the failures began, is left out of both and comes again
// every seventh time, in case all the others are bad.
//
// The number of failures outlives the run, in the breaker's state. So probes do not try the same
// place twice in a row, and nothing else needs to be remembered for that.
func elsewhere(failures, n int) int {
	others := n - 1
	switch {
	case others == 0 || failures%7 == 0:
		return 0
	case failures%2 == 1:
		turn := (failures + 1) / 2
		back := turn&-turn - 1 // 0 1 0 3 0 1 0 7 ...
		return n - 1 - back%others
	}
	spread := uint64(bits.Reverse32(uint32(failures / 2))) // of 1<<32: 1/2 1/4 3/4 1/8 5/8 ...
	return 1 + int(spread*uint64(others)>>32)
}
