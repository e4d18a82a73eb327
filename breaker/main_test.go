package breaker

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is a moment with a fraction, as clocks have them, in whole microseconds, as the state file
// keeps them.
var start = time.Unix(1763848123, 123456000).UTC()

// newBreaker makes the breaker of a new process: from its configuration, before it has loaded
// anything.
func newBreaker(t *testing.T, c Config) *Breaker {
	t.Helper()
	b, err := New(c)
	if err != nil {
		t.Fatalf("New(%+v): %v", c, err)
	}
	return b
}

// open makes the breaker of a new process and loads the state, which must be in order.
func open(t *testing.T, c Config, now time.Time) *Breaker {
	t.Helper()
	b := newBreaker(t, c)
	if err := b.Open(now); err != nil {
		t.Fatalf("Open: %v", err)
	}
	return b
}

func mustDo(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// failTimes records n failures at now, each of which must be saved.
func failTimes(t *testing.T, b *Breaker, n int, now time.Time) {
	t.Helper()
	for range n {
		mustDo(t, "RecordFailure", b.RecordFailure(now, 0))
	}
}

func wantState(t *testing.T, b *Breaker, want State) {
	t.Helper()
	if got := b.State(); got != want {
		t.Errorf("the breaker is %v, want %v", got, want)
	}
}

func wantAvailable(t *testing.T, b *Breaker, now time.Time, want bool) {
	t.Helper()
	if got := b.Available(now); got != want {
		t.Errorf("at %v after the start available is %v, want %v", now.Sub(start), got, want)
	}
}

// stateFile writes what another program left as the state of the default name, and returns a
// configuration for it.
func stateFile(t *testing.T, content string) Config {
	t.Helper()
	c := Config{StateDir: t.TempDir()}
	mustDo(t, "WriteFile", os.WriteFile(filepath.Join(c.StateDir, "central_listener.state"), []byte(content), 0o644))
	return c
}

func readState(t *testing.T, b *Breaker) string {
	t.Helper()
	data, err := os.ReadFile(b.StatePath())
	mustDo(t, "ReadFile", err)
	return string(data)
}
