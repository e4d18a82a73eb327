package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestAnEmptyRunWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	before := w.snapshot()
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	if after := w.snapshot(); after != before {
		t.Errorf("the second empty run changed something:\n%s\nbecame\n%s", before, after)
	}
}

// Each answer would otherwise wake a second thread, which finds nothing to do.
func TestARunWithOneRequestInFlightUsesOneProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(3)
	defer runtime.GOMAXPROCS(before)
	for concurrency, want := range map[string]int{"1": 1, "2": 3, "auto": 3} {
		w := newWorld(t)
		w.put("a.json", `{}`)
		during := 0
		w.onRequest = func() { during = runtime.GOMAXPROCS(0) }
		w.do("run", "--concurrency", concurrency).wantCode(t, exit.OK)
		if after := runtime.GOMAXPROCS(0); during != want || after != 3 {
			t.Errorf("--concurrency %s: %d processors for the request and %d after the run, want %d and 3", concurrency, during, after, want)
		}
	}
}

// The message tells how long the listener was away, and not how long the backlog took.
func TestAnOutageEndsWithTheProbeAndNotWithTheBacklog(t *testing.T) {
	w := openWorld(t, 5)
	w.pass(70 * time.Second)
	w.env.Now = func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.now.Add(time.Duration(len(w.bodies)) * time.Minute) // each request takes one
	}
	r := w.do("run").wantCode(t, exit.OK)
	wantText(t, "standard error", r.stderr, "the listener is back, open for 1m10s\n")
	if n := len(w.received()); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
}

func TestEqualErrorsAreReportedOnceWithTheirNumber(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.put(fmt.Sprintf("p%d.json", i), `{}`)
	}
	w.answer(http.StatusForbidden)
	r := w.do("run").wantCode(t, exit.Left)
	wantText(t, "standard error", r.stderr, "3 requests failed", "403")
	if n := strings.Count(r.stderr, "failed"); n != 1 {
		t.Errorf("three equal failures make %d lines:\n%s", n, r.stderr)
	}
	if n := len(w.left()); n != 3 {
		t.Errorf("%d payload files are left, want all 3", n)
	}
}

func TestARunTakesNoWorkAfterASignal(t *testing.T) {
	for signal, want := range map[syscall.Signal]exit.Code{syscall.SIGTERM: exit.Terminated, syscall.SIGINT: exit.Interrupt, syscall.SIGHUP: exit.Hangup} {
		w := newWorld(t)
		w.put("a.json", `{}`)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(exit.Signalled{Signal: signal})
		w.runContext(ctx, "run", "--spool", w.spool, "--state-dir", w.state, "--url", w.listener.URL).wantCode(t, want).wantSilence(t)
		if len(w.left()) != 1 || len(w.received()) != 0 {
			t.Errorf("%s: work was taken after the signal", signal)
		}
	}
}

func TestEveryCommandRefusesASpoolThatIsNotADirectory(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"absent": filepath.Join(w.state, "none"), "a file": file} {
		for _, command := range []string{"run", "flush", "status", "put", "rejected list", "check", "run --dry-run"} {
			args := strings.Fields(command)
			args = append(args, "--spool", dir)
			if args[0] != "put" && args[0] != "rejected" {
				args = append(args, "--state-dir", w.state, "--url", w.listener.URL)
			}
			r := w.run(args...).wantCode(t, exit.Config)
			wantText(t, command+" on a spool that is "+name, r.stdout+r.stderr, dir, "--spool")
		}
	}
	if _, err := os.Stat(w.state); err == nil {
		t.Error("a state directory was made for a run that could not begin")
	}
}

func TestARunPrintsItsSummaryAsJSON(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", `[1, 2]`)
	w.put("b.json", `{}`)
	r := w.do("run", "--json").wantCode(t, exit.OK)
	var sum runSummary
	if err := json.Unmarshal([]byte(r.stdout), &sum); err != nil {
		t.Fatalf("%v:\n%s", err, r.stdout)
	}
	if sum.Stop != "drained" || sum.Delivered != 3 || sum.Files != 2 || sum.Removed != 2 || sum.Left != 0 || sum.Statuses["200"] != 3 || sum.ExitCode != exit.OK {
		t.Errorf("got %+v", sum)
	}
	w.put("c.json", `{}`)
	w.answer(http.StatusForbidden)
	r = w.do("run", "--json", "--failure-threshold", "1").wantCode(t, exit.Left)
	sum = runSummary{}
	if err := json.Unmarshal([]byte(r.stdout), &sum); err != nil {
		t.Fatalf("%v:\n%s", err, r.stdout)
	}
	if !sum.Opened || sum.Failed != 1 || sum.Left != 1 || sum.ExitCode != exit.Left || len(sum.Errors) != 1 || sum.Errors[0].Status != 403 || !strings.Contains(sum.Errors[0].Hint, "--token-file") {
		t.Errorf("got %+v", sum)
	}
	r = w.do("run", "--json").wantCode(t, exit.Left)
	if err := json.Unmarshal([]byte(r.stdout), &sum); err != nil || sum.Left != 1 || sum.Stop != "breaker open" {
		t.Errorf("a run that found the breaker open says %v, %s", err, r.stdout)
	}
}

// A timer of a minute and a retry timeout of a minute never quite meet: every run comes a moment
// before its probe is due, and would leave it to the run a minute later.
func TestARunEveryMinuteProbesEveryMinute(t *testing.T) {
	for _, tt := range []struct {
		name      string
		args      []string
		early     time.Duration // before the probe is due
		waits     bool
		wantProbe int
	}{
		{"a moment early", nil, 30 * time.Millisecond, true, 1},
		{"as early as jitter makes it", nil, 6 * time.Second, true, 1},
		{"earlier than the wait", nil, 11 * time.Second, false, 0},
		{"earlier than the run may take", []string{"--max-runtime", "5s"}, 6 * time.Second, false, 0},
		{"waiting is off", []string{"--wait", "0"}, 30 * time.Millisecond, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := openWorld(t, 1)
			w.answer(http.StatusInternalServerError)
			w.pass(time.Minute - tt.early)
			start := w.time()
			r := w.do("run", tt.args...).wantCode(t, exit.Left)
			if n := len(w.received()); n != tt.wantProbe {
				t.Errorf("%d probes, want %d", n, tt.wantProbe)
			}
			want := time.Duration(0)
			if tt.waits {
				want = tt.early
			}
			if waited := w.time().Sub(start); waited != want {
				t.Errorf("the run waited %s, want %s", waited, want)
			}
			if strings.Contains(r.stderr, "waiting") {
				t.Errorf("a scheduled run tells that it waits: %q", r.stderr)
			}
		})
	}
}
