package transmit

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestRetryAfterIsReadAsSecondsOrADate(t *testing.T) {
	now := time.Date(2025, 11, 22, 12, 0, 0, 0, time.UTC)
	const forever = time.Duration(math.MaxInt64)
	for _, c := range []struct {
		name, value, date string
		want              time.Duration
	}{
		{"absent", "", "", 0},
		{"seconds", "120", "", 2 * time.Minute},
		{"seconds with spaces around", " 120\t", "", 2 * time.Minute},
		{"a fraction", "1.5", "", 1500 * time.Millisecond},
		{"ten days", "864000", "", 240 * time.Hour},
		{"zero", "0", "", 0},
		{"a zero fraction", "0.0", "", 0},
		{"less than a nanosecond", "0.00000000001", "", 0},
		{"negative", "-1", "", 0},
		{"with a plus", "+5", "", 0},
		{"an exponent", "1e9", "", 0},
		{"hexadecimal", "0x10", "", 0},
		{"only a point", ".", "", 0},
		{"a point at the end", "1.", "", 0},
		{"a point at the beginning", ".5", "", 0},
		{"two points", "1.2.3", "", 0},
		{"infinity", "inf", "", 0},
		{"not a number", "NaN", "", 0},
		{"garbage", "soon", "", 0},
		{"a unit", "30s", "", 0},
		{"two values", "30, 60", "", 0},
		{"the longest Duration", "9223372036", "", 9223372036 * time.Second},
		{"more than a Duration", "9223372037", "", forever},
		{"much more", "99999999999999999999999999", "", forever},
		{"a thousand digits", strings.Repeat("9", 1000), "", forever},
		{"a date", "Sat, 22 Nov 2025 12:00:30 GMT", "", 30 * time.Second},
		{"a date in the form of RFC 850", "Saturday, 22-Nov-25 12:00:30 GMT", "", 30 * time.Second},
		{"a date as C's asctime writes it", "Sat Nov 22 12:00:30 2025", "", 30 * time.Second},
		{"an asctime date with one digit", "Mon Dec  1 12:00:00 2025", "", 9 * 24 * time.Hour},
		{"a date in the past", "Sat, 22 Nov 2025 11:59:00 GMT", "", 0},
		{"a date now", "Sat, 22 Nov 2025 12:00:00 GMT", "", 0},
		{"their clock an hour ahead", "Sat, 22 Nov 2025 13:00:30 GMT", "Sat, 22 Nov 2025 13:00:00 GMT", 30 * time.Second},
		{"their clock an hour behind", "Sat, 22 Nov 2025 11:00:30 GMT", "Saturday, 22-Nov-25 11:00:00 GMT", 30 * time.Second},
		{"a malformed Date", "Sat, 22 Nov 2025 12:00:30 GMT", "yesterday", 30 * time.Second},
		{"a date in another zone", "Sat, 22 Nov 2025 12:00:30 CET", "", 0},
		{"the end of time", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0001 00:00:00 GMT", forever},
	} {
		if got := retryAfter(c.value, c.date, now); got != c.want {
			t.Errorf("%s: %q is %v, want %v", c.name, c.value, got, c.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "30", "1.5", "-1", "9223372037", "Sat, 22 Nov 2025 12:00:30 GMT", "Saturday, 22-Nov-25 12:00:30 GMT", "Sat Nov 22 12:00:30 2025"} {
		f.Add(s, "Sat, 22 Nov 2025 12:00:00 GMT")
	}
	now := time.Date(2025, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value, date string) {
		if d := retryAfter(value, date, now); d < 0 {
			t.Errorf("%q at %q is negative: %v", value, date, d)
		}
	})
}
