package console

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
)

// Size writes a number of bytes for a person: one decimal and a unit.
func Size(n int64) string {
	if n < 1024 {
		return Count(int(n), "byte")
	}
	f, unit := float64(n)/1024, "KiB"
	for _, next := range []string{"MiB", "GiB", "TiB"} {
		if f < 1024 {
			break
		}
		f, unit = f/1024, next
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

// Duration writes a duration for a person: at most two units, and nothing smaller than a tenth of a
// second in what is longer than a second.
func Duration(d time.Duration) string {
	tenths := d.Round(100 * time.Millisecond)
	switch {
	case d < 0:
		return "-" + Duration(-d)
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case tenths < time.Minute:
		return tenths.String()
	}
	switch d = d.Round(time.Second); {
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// Ago writes a time for a person.
func Ago(t, now time.Time) string {
	if d := now.Sub(t); d >= 0 {
		return Duration(d) + " ago (" + t.Format(time.RFC3339) + ")"
	}
	return t.Format(time.RFC3339)
}

// Count writes "1 item", "2 items" or "2 entries".
func Count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if stem, ok := strings.CutSuffix(one, "y"); ok {
		return strconv.Itoa(n) + " " + stem + "ies"
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// Were writes "1 item was" or "2 items were".
func Were(n int, one string) string {
	if n == 1 {
		return Count(n, one) + " was"
	}
	return Count(n, one) + " were"
}

// Time converts the times of the breaker's statistics. Their 0 stands for none and becomes the zero
// time.
func Time(seconds float64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(math.Round(seconds * 1e6)))
}

// Breaker says what a breaker would do now.
func Breaker(stats breaker.Stats, now time.Time) string {
	switch stats.EffectiveState {
	case breaker.Closed:
		return "closed"
	case breaker.HalfOpen:
		return "half-open, the next run may probe"
	}
	by := ""
	if stats.Tripped {
		by = " by hand"
	}
	probe := Time(stats.NextProbeAt)
	return "open" + by + ", next probe in " + Duration(probe.Sub(now)) + " (" + probe.Format(time.RFC3339) + ")"
}
