package breaker

import (
	"math"
	"testing"
	"time"
)

func TestRetryAfterHoldsAcrossProcesses(t *testing.T) {
	for _, test := range []struct {
		name       string
		retryAfter time.Duration
		held       time.Duration
		opens      bool
	}{
		{"none", 0, 0, false},
		{"negative", -time.Second, 0, false},
		{"shorter than the timeout", 30 * time.Second, time.Minute, true},
		{"with a fraction", 90*time.Second + time.Second/2, 90*time.Second + time.Second/2, true},
		{"at the cap", time.Hour, time.Hour, true},
		{"ten days", 240 * time.Hour, time.Hour, true},
		{"the longest duration", math.MaxInt64, time.Hour, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{StateDir: t.TempDir()}
			b := open(t, c, start)
			mustDo(t, "RecordFailure", b.RecordFailure(start, test.retryAfter))
			if opened := b.State() == Open; opened != test.opens {
				t.Fatalf("opened: %v, want %v", opened, test.opens)
			}
			if got := open(t, c, start).Wait(start); got != test.held {
				t.Errorf("held for %v, want %v", got, test.held)
			}
			end := start.Add(test.held)
			if test.opens {
				wantAvailable(t, open(t, c, end), end.Add(-time.Microsecond), false)
			}
			wantAvailable(t, open(t, c, end), end, true)
		})
	}
}

func TestATripHoldsAsLongAsItSays(t *testing.T) {
	for _, test := range []struct {
		name       string
		hold, held time.Duration
	}{
		{"one retry timeout", 0, time.Minute},
		{"negative is one retry timeout", -time.Second, time.Minute},
		{"shorter than the retry timeout", 10 * time.Second, 10 * time.Second},
		{"longer than the cap of a retry-after", 30 * 24 * time.Hour, 30 * 24 * time.Hour},
		{"longer than it may", math.MaxInt64, maxTrip.duration()},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{StateDir: t.TempDir()}
			mustDo(t, "Trip", open(t, c, start).Trip(start, test.hold))
			b := open(t, c, start)
			if got := b.Wait(start); got != test.held {
				t.Errorf("held for %v after a reload, want %v", got, test.held)
			}
			stats := b.Stats(start)
			if end := start.Add(test.held); !stats.Tripped || stats.NextProbeAt != seconds(end) {
				t.Errorf("the stats are %+v, want a probe at %f", stats, seconds(end))
			}
			mustDo(t, "Reset", b.Reset(start))
			wantAvailable(t, open(t, c, start), start, true)
		})
	}
}

// TestAnEarlyProbeIsAsked shows how a probe is forced by hand: by asking at the end of the hold.
func TestAnEarlyProbeIsAsked(t *testing.T) {
	b := open(t, Config{StateDir: t.TempDir()}, start)
	mustDo(t, "Trip", b.Trip(start, 24*time.Hour))
	wantAvailable(t, b, start.Add(b.Wait(start)), true)
	wantState(t, b, HalfOpen)
	failTimes(t, b, 1, start)
	if got := b.Wait(start); got != time.Minute {
		t.Errorf("the failed probe opened it for %v, want 1m", got)
	}
}
