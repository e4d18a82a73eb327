package breaker

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOpensAtTheThresholdAndRecovers(t *testing.T) {
	b := open(t, Config{StateDir: t.TempDir(), FailureThreshold: 3, RetryTimeout: 2 * time.Second}, start)
	wantState(t, b, Closed)
	wantAvailable(t, b, start, true)

	failTimes(t, b, 2, start)
	wantState(t, b, Closed)
	failTimes(t, b, 1, start)
	wantState(t, b, Open)
	wantAvailable(t, b, start, false)

	later := start.Add(2 * time.Second)
	wantAvailable(t, b, later, true)
	wantState(t, b, HalfOpen)
	mustDo(t, "RecordSuccess", b.RecordSuccess(later))
	wantState(t, b, Closed)
	if got := b.Stats(later); got.FailureCount != 0 || got.LastFailureTime != 0 || got.OpenedAt != 0 {
		t.Errorf("the success of the probe left %+v", got)
	}
}

func TestASecondProcessSeesTheFailuresOfTheFirst(t *testing.T) {
	c := Config{StateDir: t.TempDir(), FailureThreshold: 3}
	failTimes(t, open(t, c, start), 3, start)
	second := open(t, c, start.Add(time.Second))
	wantState(t, second, Open)
	wantAvailable(t, second, start.Add(time.Second), false)
	if got := second.Stats(start).FailureCount; got != 3 {
		t.Errorf("the second process counts %d failures, want 3", got)
	}
}

func TestFailuresAddUpOverProcesses(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	for n := range 5 {
		b := open(t, c, start)
		wantState(t, b, Closed)
		failTimes(t, b, 1, start)
		if got := b.Stats(start).FailureCount; got != n+1 {
			t.Errorf("process %d counts %d failures", n+1, got)
		}
	}
	wantState(t, open(t, c, start), Open)
}

func TestTheHalfOpenStateIsSavedBeforeTheProbe(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	b := open(t, c, start)
	failTimes(t, b, 5, start)
	later := start.Add(time.Minute)
	wantAvailable(t, b, later, true)
	killed := open(t, c, later)
	wantState(t, killed, HalfOpen)
	wantAvailable(t, killed, later, true)
	failTimes(t, killed, 1, later)
	wantState(t, open(t, c, later), Open)
	wantAvailable(t, killed, later.Add(time.Minute-time.Microsecond), false)
	wantAvailable(t, killed, later.Add(time.Minute), true)
}

// TestTheEndOfTheTimeoutIsExact asks on both sides of it, in the process that opened the breaker
// and in a new one, from starts that a float64 does not represent.
func TestTheEndOfTheTimeoutIsExact(t *testing.T) {
	for _, at := range []time.Time{start, time.Unix(1763848123, 0), time.UnixMicro(1763848123999999), time.UnixMicro(4102444800000001), time.Unix(0, 0)} {
		for _, early := range []time.Duration{time.Nanosecond, time.Microsecond} {
			c := Config{StateDir: t.TempDir()}
			same := open(t, c, at)
			failTimes(t, same, 5, at)
			for name, b := range map[string]*Breaker{"the same process": same, "a new process": open(t, c, at)} {
				end := at.Add(time.Minute)
				if at.Unix() == 0 { // 0 is none in the file, so the moment is one microsecond later
					end = end.Add(time.Microsecond)
				}
				if b.Available(end.Add(-early)) || b.Wait(end.Add(-early)) != time.Microsecond {
					t.Errorf("opened at %v: %s is available %v before the end, wait %v", at, name, early, b.Wait(end.Add(-early)))
				}
				if b.Wait(end) != 0 || !b.Available(end) {
					t.Errorf("opened at %v: %s is not available at the end, wait %v", at, name, b.Wait(end))
				}
			}
		}
	}
}

func TestStatsHaveTheirDocumentedJSON(t *testing.T) {
	b := open(t, Config{StateDir: t.TempDir(), RetryTimeout: 90 * time.Second, FailureThreshold: 1}, start)
	failTimes(t, b, 1, start)
	for _, test := range []struct {
		after time.Duration
		want  string
	}{
		{time.Minute, `"effective_state":"open"/"next_probe_at":1763848213.123456`},
		{90 * time.Second, `"effective_state":"half_open"/"next_probe_at":0`},
	} {
		effective, probe, _ := strings.Cut(test.want, "/")
		got, err := json.Marshal(b.Stats(start.Add(test.after)))
		want := `{"name":"central_listener","state":"open",` + effective + `,"failure_count":1,"failure_threshold":1,` +
			`"retry_timeout":90,"last_failure_time":1763848123.123456,"opened_at":1763848123.123456,"open_since":1763848123.123456,` + probe +
			`,"not_before":0,"tripped":false}`
		if err != nil || string(got) != want {
			t.Errorf("after %v the stats are\n%s, %v, want\n%s", test.after, got, err, want)
		}
	}
	wantState(t, b, Open)
}

func TestPeekChangesNothingOnDisk(t *testing.T) {
	c := Config{StateDir: t.TempDir()}
	failTimes(t, open(t, c, start), 5, start)
	leftover := newBreaker(t, c).StatePath() + "123"
	mustDo(t, "WriteFile", os.WriteFile(leftover, nil, 0o600))
	b := newBreaker(t, c)
	before := readState(t, b)
	early := start.Add(-time.Hour)
	mustDo(t, "Peek", b.Peek(early))
	wantState(t, b, Open)
	if got := b.Wait(early); got != time.Minute {
		t.Errorf("with a clock an hour back the wait is %v, want 1m", got)
	}
	wantAvailable(t, b, start.Add(time.Minute), true)
	mustDo(t, "RecordFailure", b.RecordFailure(start, 0))
	mustDo(t, "Save", b.Save())
	if after := readState(t, b); after != before {
		t.Errorf("after Peek the file became %s", after)
	}
	if _, err := os.Lstat(leftover); err != nil {
		t.Errorf("Peek, which holds no lock, removed a temporary file: %v", err)
	}
	mustDo(t, "Open", b.Open(start))
	failTimes(t, b, 1, start)
	if after := readState(t, b); after == before {
		t.Error("Open after Peek saves nothing")
	}

	missing := Config{StateDir: filepath.Join(c.StateDir, "missing")}
	mustDo(t, "Peek", newBreaker(t, missing).Peek(start))
	if _, err := os.Lstat(missing.StateDir); !os.IsNotExist(err) {
		t.Errorf("Peek created the state directory: %v", err)
	}
}

func TestSeveralGoroutinesMayUseOneBreaker(t *testing.T) {
	c := Config{StateDir: t.TempDir(), FailureThreshold: 3}
	b := open(t, c, start)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			b.Available(start)
			b.Wait(start)
			b.Stats(start)
			if err := b.RecordSuccess(start); err != nil {
				t.Errorf("RecordSuccess: %v", err)
			}
			for range 3 {
				if err := b.RecordFailure(start, 0); err != nil {
					t.Errorf("RecordFailure: %v", err)
				}
			}
		})
	}
	all.Wait()
	wantState(t, b, Open)
	if got, want := open(t, c, start).Stats(start), b.Stats(start); got != want {
		t.Errorf("the file says %+v, the breaker %+v", got, want)
	}
}
