package breaker

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// A time that came back one microsecond off would move the end of a hold. The times reach beyond
// 2041, from where a plain multiplication rounds wrong.
func TestATimeIsTheSameAfterItWasWrittenAndRead(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200_000 {
		want := micros(random.Int64N(int64(maxMicros)))
		f, err := strconv.ParseFloat(decimal(want), 64)
		if got := microsFromSeconds(f); err != nil || got != want {
			t.Fatalf("seed %d: %d microseconds were written as %s and came back as %d, %v", seed, want, decimal(want), got, err)
		}
	}
}

func TestAnyNumberInAStateFileIsReadAsATime(t *testing.T) {
	for _, test := range []struct {
		seconds float64
		want    micros
	}{
		{0, 0}, {math.Copysign(0, -1), 0}, {-1, 0}, {-1e300, 0}, {math.Inf(-1), 0}, {math.NaN(), 0}, {1e-9, 0},
		{1e-6, 1}, {1, 1_000_000}, {1763848123.1234, 1763848123123400}, {1763848123.000001, 1763848123000001},
		{maxSeconds, maxMicros}, {1e300, maxMicros}, {math.Inf(1), maxMicros},
	} {
		if got := microsFromSeconds(test.seconds); got != test.want {
			t.Errorf("%v seconds are %d microseconds, want %d", test.seconds, got, test.want)
		}
	}
}

func TestAnyTimeOfAClockFitsIntoMicroseconds(t *testing.T) {
	for _, test := range []struct {
		time time.Time
		want micros
	}{
		{time.Time{}, 1}, {time.Unix(-1, 0), 1}, {time.Unix(0, 0), 1}, {time.Unix(0, 2000), 2},
		{time.Unix(5, 999), 5_000_000}, {start, 1763848123123456}, {time.Unix(1<<62, 0), maxMicros},
	} {
		if got := microsAt(test.time); got != test.want {
			t.Errorf("%v is moment %d, want %d", test.time, got, test.want)
		}
	}
}

func TestDurationsAreRoundedUpToMicroseconds(t *testing.T) {
	for _, test := range []struct {
		span time.Duration
		want micros
	}{{0, 0}, {1, 1}, {1000, 1}, {1001, 2}, {time.Hour, 3_600_000_000}, {math.MaxInt64, math.MaxInt64/1000 + 1}} {
		if got := microsFrom(test.span); got != test.want {
			t.Errorf("%d ns are %d microseconds, want %d", test.span, got, test.want)
		}
	}
	if got := (microsFrom(math.MaxInt64) * 2).duration(); got < math.MaxInt64/2 {
		t.Errorf("a span beyond 292 years became %v, it overflowed", got)
	}
}
