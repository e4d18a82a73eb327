package breaker

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

func TestTheRetryTimeoutGrowsWithFailedProbesUpToItsLongest(t *testing.T) {
	const never = time.Duration(math.MaxInt64)
	for _, test := range []struct {
		name string
		c    Config
		want []time.Duration // after no failed probe, one, two...
	}{
		{"not by default", Config{}, []time.Duration{time.Minute, time.Minute, time.Minute}},
		{"to an hour", Config{RetryTimeoutMax: time.Hour}, []time.Duration{
			time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour}},
		{"not when the longest is no more than the first", Config{RetryTimeoutMax: time.Minute}, []time.Duration{time.Minute, time.Minute}},
		{"by less than twice", Config{RetryTimeoutMax: 90 * time.Second}, []time.Duration{time.Minute, 90 * time.Second, 90 * time.Second}},
		{"without an overflow", Config{RetryTimeout: never / 3, RetryTimeoutMax: never}, []time.Duration{never / 3, never / 3 * 2, never}},
	} {
		r := newBreaker(t, test.c).rules
		for probes, want := range test.want {
			if got := r.retryTimeout(probes).duration(); (want - got).Abs() > 2*time.Microsecond {
				t.Errorf("it grows %s: %v after %d failed probes, want %v", test.name, got, probes, want)
			}
		}
		if last := test.want[len(test.want)-1]; (r.retryTimeout(maxCount).duration() - last).Abs() > 2*time.Microsecond {
			t.Errorf("it grows %s: %v in the end, want %v", test.name, r.retryTimeout(maxCount).duration(), last)
		}
	}
}

// The probes of hosts that have opened in the same second are to be spread evenly soon after.
func TestTheJitterSpreadsAGrownRetryTimeoutOverItsLastHalf(t *testing.T) {
	for probes, whole := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 8 * time.Minute} {
		if probes == 0 {
			continue // the first one is lengthened by a few percent
		}
		var all []time.Duration
		for host := range 1000 {
			c := Config{RetryTimeoutMax: 8 * time.Minute, RetryJitter: 0.001, HostID: fmt.Sprintf("%032x", host)}
			all = append(all, newBreaker(t, c).rules.retryTimeout(probes).duration())
		}
		slices.Sort(all)
		for tenth := range 11 {
			got := all[min(tenth*100, 999)]
			if want := whole/2 + whole/2*time.Duration(tenth)/10; (got - want).Abs() > whole/30 {
				t.Errorf("after %d failed probes, %d tenths of the hosts wait up to %v, want %v", probes, tenth, got, want)
			}
		}
		if all[0] < whole/2 || all[999] > whole+whole/1000 {
			t.Errorf("after %d failed probes, hosts wait from %v to %v, want %v to %v", probes, all[0], all[999], whole/2, whole)
		}
	}
}

// Two hosts that once probe in the same second must not do so for the rest of the outage.
func TestTheJitterOfAHostDiffersFromProbeToProbe(t *testing.T) {
	c := Config{RetryTimeoutMax: time.Hour, RetryJitter: 10, HostID: "a"}
	r := newBreaker(t, c).rules
	seen := map[micros]bool{}
	for probes := range 100 {
		timeout := r.retryTimeout(100 + probes)
		if again := newBreaker(t, c).rules.retryTimeout(100 + probes); again != timeout {
			t.Fatalf("the host waits %v, and as a new process %v", timeout.duration(), again.duration())
		}
		seen[timeout] = true
	}
	if len(seen) < 100 {
		t.Errorf("100 probes have %d different timeouts", len(seen))
	}
}

func TestAGrownRetryTimeoutOutlivesProcessesAndEndsWithASuccess(t *testing.T) {
	c := Config{StateDir: t.TempDir(), RetryTimeoutMax: 5 * time.Minute}
	b := open(t, c, start)
	failTimes(t, b, 5, start)
	now := start
	for _, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
		b = open(t, c, now)
		if got := b.Wait(now); got != wait {
			t.Fatalf("%v after the first opening a new process waits %v, want %v", now.Sub(start), got, wait)
		}
		if got := b.Stats(now).NextProbeAt; got != seconds(now.Add(wait)) {
			t.Errorf("the next probe is said to be at %f, want %f", got, seconds(now.Add(wait)))
		}
		wantAvailable(t, b, now.Add(wait-time.Microsecond), false)
		now = now.Add(wait)
		wantAvailable(t, b, now, true)
		failTimes(t, b, 1, now)
	}
	now = now.Add(5 * time.Minute)
	wantAvailable(t, b, now, true)
	mustDo(t, "RecordSuccess", b.RecordSuccess(now))
	failTimes(t, b, 5, now)
	if got := open(t, c, now).Wait(now); got != time.Minute {
		t.Errorf("the first wait after a success is %v, want 1m", got)
	}
}

// Settings change in the middle of an outage, when somebody looks at it.
func TestALongestRetryTimeoutThatIsTakenBackCountsAtOnce(t *testing.T) {
	c := stateFile(t, `{"state":"open","failure_count":50,"opened_at":1763848123.123456,"failed_probes":45}`)
	for _, test := range []struct{ longest, want time.Duration }{{time.Hour, time.Hour}, {10 * time.Minute, 10 * time.Minute}, {0, time.Minute}} {
		c.RetryTimeoutMax = test.longest
		if got := open(t, c, start).Wait(start); got != test.want {
			t.Errorf("with a longest of %v the wait is %v, want %v", test.longest, got, test.want)
		}
	}
}
