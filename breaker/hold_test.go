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

func TestATripByHandKeepsTheBreakerOpenForItsTime(t *testing.T) {
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

// Who looks whether the listener is back neither ends a hold nor puts off the next probe.
func TestAFailedForcedProbeLeavesTheHoldAsItWas(t *testing.T) {
	for _, test := range []struct {
		name    string
		open    func(*Breaker) error
		held    time.Duration // a minute after it was opened, when the probe has failed
		tripped bool
	}{
		{"of failures", func(b *Breaker) error { return b.RecordFailure(start.Add(30*time.Second), time.Second) }, 30 * time.Second, false},
		{"of a Retry-After", func(b *Breaker) error { return b.RecordFailure(start, time.Hour) }, 59 * time.Minute, false},
		{"of a short Retry-After", func(b *Breaker) error { return b.RecordFailure(start, 90*time.Second) }, 30 * time.Second, false},
		{"of a trip", func(b *Breaker) error { return b.Trip(start, 24*time.Hour) }, 24*time.Hour - time.Minute, true},
		{"of a trip that is nearly over", func(b *Breaker) error { return b.Trip(start, 61*time.Second) }, time.Second, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{StateDir: t.TempDir()}
			b := open(t, c, start)
			mustDo(t, "opening it", test.open(b))
			now := start.Add(time.Minute)
			b.Force(now)
			wantAvailable(t, b, now, true)
			failTimes(t, b, 1, now)
			mustDo(t, "Save", b.Save())
			b = open(t, c, now)
			if got := b.Wait(now); got != test.held {
				t.Errorf("it is held for %v, want %v", got, test.held)
			}
			if got := b.Stats(now).Tripped; got != test.tripped {
				t.Errorf("tripped is %v, want %v", got, test.tripped)
			}
		})
	}
}

func TestAFailedForcedProbeDoesNotPutOffTheProbeUnderAGrownWait(t *testing.T) {
	c := stateFile(t, `{"state":"open","failure_count":14,"last_failure_time":1763848123.123456,"opened_at":1763848123.123456,"failed_probes":9}`)
	c.RetryTimeoutMax = time.Hour
	for _, passed := range []time.Duration{time.Second, 55 * time.Minute, time.Hour - time.Second} {
		now := start.Add(passed)
		b := open(t, c, now)
		b.Force(now)
		failTimes(t, b, 1, now)
		if got := open(t, c, now).Wait(now); got != time.Hour-passed {
			t.Errorf("%v after the breaker opened for an hour, a forced probe fails and the wait is %v", passed, got)
		}
	}
}

func TestAForcedProbeThatSucceedsEndsATrip(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	b := open(t, c, start)
	mustDo(t, "Trip", b.Trip(start, 24*time.Hour))
	b.Force(start)
	mustDo(t, "RecordSuccess", b.RecordSuccess(start))
	wantState(t, open(t, c, start), Closed)
}

// Neither a kill nor a fault of this machine may end the hold.
func TestAForcedProbeWithoutAResultChangesNothing(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	b := open(t, c, start)
	mustDo(t, "Trip", b.Trip(start, 24*time.Hour))
	before := readState(t, b)
	b.Force(start)
	wantAvailable(t, b, start, true)
	if got := readState(t, b); got != before {
		t.Errorf("the file is %s while it probes, and was %s", got, before)
	}
	mustDo(t, "Save", b.Save())
	if got := readState(t, b); got != before {
		t.Errorf("the file is %s after the run, and was %s", got, before)
	}
	wantAvailable(t, b, start, false)
}

func TestForcingAProbeChangesNothingWhileRequestsMayPass(t *testing.T) {
	b := open(t, Config{StateDir: t.TempDir()}, start)
	b.Force(start)
	wantState(t, b, Closed)
	failTimes(t, b, 5, start)
	end := start.Add(time.Minute)
	b.Force(end)
	wantState(t, b, Open)
	wantAvailable(t, b, end, true)
}
