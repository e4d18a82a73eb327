package breaker

import (
	"fmt"
	"testing"
	"time"
)

const year = 365 * 24 * time.Hour

func TestAClockSetBackHoldsForOneTimeoutOnly(t *testing.T) {
	for _, test := range []struct {
		name string
		open func(b *Breaker) error
		back time.Time
		held time.Duration
	}{
		{"an hour", fiveFailures, start.Add(-time.Hour), time.Minute},
		{"a year", fiveFailures, start.Add(-year), time.Minute},
		{"to 1970", fiveFailures, time.Unix(0, 0), time.Minute},
		{"a year with a retry-after", func(b *Breaker) error { return b.RecordFailure(start, 10*time.Minute) }, start.Add(-year), 10 * time.Minute},
		{"a year when tripped", func(b *Breaker) error { return b.Trip(start, 30*time.Hour) }, start.Add(-year), 30 * time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{StateDir: t.TempDir()}
			mustDo(t, test.name, test.open(open(t, c, start)))
			back := time.UnixMicro(int64(microsAt(test.back)))
			// A process every third of the hold, as cron starts them.
			for _, part := range []time.Duration{0, 1, 2, 3} {
				now := back.Add(part * test.held / 3)
				b := open(t, c, now)
				if got, want := b.Wait(now), (3-part)*test.held/3; got != want {
					t.Errorf("%v after the jump the wait is %v, want %v", part*test.held/3, got, want)
				}
				wantAvailable(t, b, now, part == 3)
			}
		})
	}
}

func fiveFailures(b *Breaker) error {
	for range 5 {
		if err := b.RecordFailure(start, 0); err != nil {
			return err
		}
	}
	return nil
}

func TestAClockSetForwardEndsTheHold(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	failTimes(t, open(t, c, start), 5, start)
	b := open(t, c, start.Add(year))
	wantAvailable(t, b, start.Add(year), true)
	failTimes(t, b, 1, start.Add(year))
	// And back again.
	b = open(t, c, start)
	if got := b.Wait(start); got != time.Minute {
		t.Errorf("back from a year ahead the wait is %v, want 1m", got)
	}
	wantAvailable(t, b, start.Add(time.Minute), true)
}

func TestAClockSetBackDuringARunHoldsForOneTimeout(t *testing.T) {
	b := open(t, Config{StateDir: t.TempDir()}, start)
	failTimes(t, b, 5, start)
	back := start.Add(-year)
	for _, after := range []time.Duration{0, 20 * time.Second, 59 * time.Second, time.Minute} {
		if got, want := b.Wait(back.Add(after)), time.Minute-after; got != want {
			t.Errorf("%v after the jump the wait is %v, want %v", after, got, want)
		}
	}
	wantAvailable(t, b, back.Add(time.Minute), true)
}

func TestNoTimeInTheFileHoldsTheBreakerBeyondItsLimit(t *testing.T) {
	for _, bad := range []string{"1e300", "1e999", "-1e999", "-1", "0", "null", "1e-300", "99999999999", "1763848123123", "8589934592"} {
		for _, test := range []struct {
			name, file string
			longest    time.Duration
		}{
			{"opened_at", `{"state":"open","failure_count":5,"opened_at":%s}`, time.Minute},
			{"last_failure_time", `{"state":"open","opened_at":1763848123,"last_failure_time":%s}`, time.Minute},
			{"not_before", `{"state":"open","opened_at":1763848123,"not_before":%s}`, time.Hour},
			{"not_before of a trip", `{"state":"open","opened_at":1763848123,"tripped":true,"not_before":%s}`, maxTrip.duration()},
			{"opened_at after failed probes", `{"state":"open","opened_at":%s,"failed_probes":2147483647}`, 2 * time.Hour},
			{"both", `{"state":"open","opened_at":%[1]s,"not_before":%[1]s,"tripped":true}`, time.Hour},
		} {
			c := stateFile(t, fmt.Sprintf(test.file, bad))
			c.RetryTimeoutMax = 2 * time.Hour
			elapsed := time.Duration(0)
			for range 100 { // enough to halve a century down to a microsecond
				b := open(t, c, start.Add(elapsed))
				wait := b.Wait(start.Add(elapsed))
				if wait == 0 {
					wantAvailable(t, b, start.Add(elapsed), true)
					break
				}
				// A new process after half of the wait, so that one which counts anew is never
				// done.
				elapsed += (wait + 1) / 2
			}
			if elapsed > test.longest || open(t, c, start.Add(elapsed)).Wait(start.Add(elapsed)) != 0 {
				t.Errorf("%s %s holds for longer than %v", test.name, bad, test.longest)
			}
		}
	}
}

// Every run finds the same time in the future on a disk that takes no correction, and would wait
// for another timeout. It sends one probe instead, and stops since the failure cannot be saved.
func TestAFutureTimeThatCannotBeCorrectedOnDiskDoesNotHoldTheBreaker(t *testing.T) {
	for _, test := range []struct {
		name string
		open func(b *Breaker) error
	}{
		{"after failures", fiveFailures},
		{"after a retry-after", func(b *Breaker) error { return b.RecordFailure(start, 10*time.Minute) }},
		{"after a trip", func(b *Breaker) error { return b.Trip(start, 30*time.Hour) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{StateDir: t.TempDir()}
			mustDo(t, test.name, test.open(open(t, c, start)))
			makeUnwritable(t, c.StateDir)
			for run := range 2 {
				now := start.Add(-year + time.Duration(run)*time.Minute)
				b := open(t, c, now)
				if b.SaveError() == nil {
					t.Error("the correction was saved in a directory that takes none")
				}
				wantAvailable(t, b, now, true)
				wantState(t, b, HalfOpen)
				if err := b.RecordFailure(now, 0); err == nil {
					t.Error("the failure of the probe was saved in a directory that takes none")
				}
				wantAvailable(t, b, now, false)
			}
			// A hold without a time in the future needs no correction, and holds.
			wantAvailable(t, open(t, c, start.Add(time.Second)), start.Add(time.Second), false)
		})
	}
}
