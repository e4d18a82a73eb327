package breaker

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestTheDefaultsAreTheDocumentedOnes(t *testing.T) {
	b := newBreaker(t, Config{})
	const dir = "/var/lib/bitville-apm/circuit-breaker-state/"
	if b.StatePath() != dir+"central_listener.state" || b.LockPath() != dir+"central_listener.lock" {
		t.Errorf("the files are %s and %s", b.StatePath(), b.LockPath())
	}
	want := Stats{Name: "central_listener", FailureThreshold: 5, RetryTimeout: 60}
	if got := b.Stats(start); got != want {
		t.Errorf("the stats are %+v, want %+v", got, want)
	}
	if want := (rules{threshold: 5, timeout: 60_000_000, holdCap: 3600_000_000, seed: Config{Name: "central_listener"}.seed()}); b.rules != want {
		t.Errorf("the rules are %+v, want %+v", b.rules, want)
	}
}

func TestAConfigurationThatMakesNoSenseIsRefused(t *testing.T) {
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Name: "a/b"}, "slash"},
		{Config{Name: "../b"}, "dot"},
		{Config{Name: `a\b`}, "slash"},
		{Config{Name: "."}, "dot"},
		{Config{Name: ".."}, "dot"},
		{Config{Name: "a..b"}, `".."`},
		{Config{Name: ".hidden"}, "dot"},
		{Config{Name: "  "}, "blank"},
		{Config{Name: "a\x00b"}, "control"},
		{Config{Name: "a\nb"}, "control"},
		{Config{Name: "a\xffb"}, "UTF-8"},
		{Config{Name: strings.Repeat("x", 201)}, "200"},
		{Config{StateDir: "/a\x00"}, "NUL"},
		{Config{FailureThreshold: -1}, "threshold"},
		{Config{RetryTimeout: -1}, "timeout"},
		{Config{MaxRetryAfter: -1}, "retry-after"},
		{Config{RetryTimeoutMax: -1}, "longest retry timeout"},
		{Config{RetryTimeoutMax: time.Minute - 1}, "longest retry timeout"},
		{Config{RetryJitter: -0.1}, "jitter"},
		{Config{RetryJitter: 100.1}, "jitter"},
		{Config{RetryJitter: math.NaN()}, "jitter"},
	} {
		b, err := New(test.config)
		if err == nil || b != nil || !strings.Contains(err.Error(), test.want) || strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%+v: %v, want one line with %q", test.config, err, test.want)
		}
	}
	if _, err := New(Config{Name: "a/b", FailureThreshold: -1}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two problems are reported as %v", err)
	}
	for _, name := range []string{"x", "a.b", "a b", "héllo", strings.Repeat("x", 200)} {
		if _, err := New(Config{Name: name}); err != nil {
			t.Errorf("the name %q is refused: %v", name, err)
		}
	}
}

func TestBreakersOfOneDirectoryDoNotMix(t *testing.T) {
	dir := t.TempDir()
	failTimes(t, open(t, Config{StateDir: dir, Name: "one"}, start), 5, start)
	wantState(t, open(t, Config{StateDir: dir, Name: "two"}, start), Closed)
	wantState(t, open(t, Config{StateDir: dir, Name: "one.state"}, start), Closed)
	wantState(t, open(t, Config{StateDir: dir, Name: "one"}, start), Open)
}

func TestTheJitterSpreadsAFleetAndNotOneHost(t *testing.T) {
	timeouts := map[micros]bool{}
	low, high := micros(math.MaxInt64), micros(0)
	for host := range 1000 {
		c := Config{RetryTimeout: 100 * time.Second, RetryJitter: 10, HostID: fmt.Sprintf("%032x", host)}
		timeout := newBreaker(t, c).rules.timeout
		if again := newBreaker(t, c).rules.timeout; again != timeout {
			t.Fatalf("host %d waits %v, then %v", host, timeout.duration(), again.duration())
		}
		low, high = min(low, timeout), max(high, timeout)
		timeouts[timeout] = true
	}
	if low < 100_000_000 || low > 101_000_000 || high < 109_000_000 || high > 110_000_000 || len(timeouts) < 900 {
		t.Errorf("1000 hosts wait %d times from %v to %v, want 100s to 110s", len(timeouts), low.duration(), high.duration())
	}

	c := Config{RetryTimeout: 100 * time.Second, HostID: "a"}
	if got := newBreaker(t, c).rules.timeout; got != 100_000_000 {
		t.Errorf("without jitter the timeout is %v", got.duration())
	}
	c.RetryJitter = 50
	one, other := newBreaker(t, c), newBreaker(t, Config{RetryTimeout: c.RetryTimeout, RetryJitter: 50, HostID: "a", Name: "b"})
	if one.rules.timeout == other.rules.timeout {
		t.Error("two breakers of one host wait equally long")
	}
}

func TestTheJitterLengthensTheTimeThatTheBreakerStaysOpen(t *testing.T) {
	c := Config{StateDir: t.TempDir(), RetryJitter: 100, HostID: "a"}
	b := open(t, c, start)
	failTimes(t, b, 5, start)
	hold := b.rules.timeout.duration()
	if hold <= time.Minute || hold > 2*time.Minute {
		t.Fatalf("the timeout with jitter is %v", hold)
	}
	next := open(t, c, start)
	wantAvailable(t, next, start.Add(hold-time.Microsecond), false)
	if got := next.Stats(start); got.NextProbeAt != seconds(start.Add(hold)) || got.RetryTimeout != 60 {
		t.Errorf("the stats are %+v, want a probe after %v", got, hold)
	}
	wantAvailable(t, next, start.Add(hold), true)
}
