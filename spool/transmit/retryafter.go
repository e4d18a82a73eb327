package transmit

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// retryAfter returns how long an answer asks to wait, from its Retry-After and Date headers (RFC
// 9110 section 10.2.3). It returns 0 for a value that is absent, zero, negative, in the past or
// malformed. A fraction of a second is not in the RFC, but in use. A date is measured against the
// answer's own Date, so that the two clocks need not agree, and against now if the answer has none.
// A wait that does not fit into a Duration becomes the longest Duration.
func retryAfter(value, date string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if isDecimal(value) {
		seconds, _ := strconv.ParseFloat(value, 64) // out of range is +Inf, as it should be
		if seconds >= float64(math.MaxInt64)/float64(time.Second) {
			return math.MaxInt64
		}
		return time.Duration(seconds * float64(time.Second))
	}
	until, ok := parseDate(value)
	if !ok {
		return 0
	}
	if base, ok := parseDate(strings.TrimSpace(date)); ok {
		now = base
	}
	return max(until.Sub(now), 0)
}

// isDecimal reports whether s is digits, or digits, a point and digits.
func isDecimal(s string) bool {
	whole, fraction, found := strings.Cut(s, ".")
	return isDigits(whole) && (!found || isDigits(fraction))
}

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// parseDate reads the three forms of RFC 9110 section 5.6.7; all of them are in GMT.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range [...]string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
