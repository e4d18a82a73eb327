package breaker

import (
	"math"
	"time"
)

// micros is a moment (microseconds since 1970, rounded down; 0 stands for none) or a span of time.
// Memory and state file share this precision, so a restart changes no decision.
type micros int64

// Moments end in the year 2242. Up to 2^33 seconds a float64 tells microseconds apart, and a moment
// plus the longest time.Duration does not overflow.
const (
	maxSeconds        = 1 << 33
	maxMicros  micros = maxSeconds * 1_000_000
)

// microsAt takes a clock before 1970, which Linux does not let anyone set, for the first
// microsecond of 1970. The same goes for the second 0, where a board without a battery may begin,
// because 0 stands for none.
func microsAt(t time.Time) micros {
	if t.Unix() >= maxSeconds {
		return maxMicros
	}
	if t.Unix() < 0 {
		return 1
	}
	return max(micros(t.UnixMicro()), 1)
}

// microsFromSeconds is the inverse of seconds, and accepts any number. A number that is not a
// moment after 1970 is none. A number beyond the range is the end of the range: all that matters is
// that it lies far in the future.
func microsFromSeconds(f float64) micros {
	if math.IsNaN(f) || f <= 0 {
		return 0
	}
	if f >= maxSeconds {
		return maxMicros
	}
	// Multiplying the whole value would lose the last digit from 2041 on.
	whole, fraction := math.Modf(f)
	return micros(whole)*1_000_000 + micros(math.Round(fraction*1e6))
}

func (m micros) seconds() float64 { return float64(m) / 1e6 }

// microsFrom rounds up: a hold is never shorter than asked for.
func microsFrom(d time.Duration) micros {
	us := micros(d / time.Microsecond)
	if d%time.Microsecond > 0 {
		us++
	}
	return us
}

// duration stops at the longest time.Duration, 292 years.
func (m micros) duration() time.Duration {
	const longest = micros(math.MaxInt64 / time.Microsecond)
	return time.Duration(min(m, longest)) * time.Microsecond
}
