package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestAHealthyRunDeliversEverythingAndPrintsNothing(t *testing.T) {
	w := newWorld(t)
	w.put("profile_20260301_120000_00000001.json", `{"a": 1}`)
	w.put("buffer_1772366400.12_0a1b2c3d.json", `[{"b":2}, {"c":3}]`)
	w.do("run", "--concurrency", "1").wantCode(t, exit.OK).wantSilence(t)
	if got := strings.Join(w.received(), " "); got != `{"a": 1} {"b":2} {"c":3}` {
		t.Errorf("the listener received %s", got)
	}
	if left := w.left(); len(left) != 0 {
		t.Errorf("left in the spool: %q", left)
	}
	// The run left nothing but its lock: a healthy breaker has no state to save.
	if state := namesIn(t, w.state); len(state) != 1 || state[0] != "central_listener.lock" {
		t.Errorf("the state directory holds %q", state)
	}
}

func TestAnEmptyRunWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	before := w.snapshot()
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	if after := w.snapshot(); after != before {
		t.Errorf("the second empty run changed something:\n%s\nbecame\n%s", before, after)
	}
}

func TestTheBreakerOpensIsSilentAndRecovers(t *testing.T) {
	w := newWorld(t)
	for i := range 8 {
		w.put(fmt.Sprintf("p%d.json", i), `{}`)
	}
	w.answer(http.StatusInternalServerError)
	r := w.do("run").wantCode(t, exit.Left)
	wantText(t, "standard error", r.stderr, "breaker central_listener opened after 5 failures, next probe in 1m00s", "500")
	if n := strings.Count(r.stderr, "opened"); n != 1 || strings.Count(r.stderr, "\n") > 2 {
		t.Errorf("the opening is one line and at most a hint:\n%s", r.stderr)
	}
	if n := len(w.received()); n != 5 {
		t.Errorf("%d requests were made before the breaker opened, want 5", n)
	}

	w.pass(30 * time.Second)
	w.do("run").wantCode(t, exit.Left).wantSilence(t)
	if n := len(w.received()); n != 0 {
		t.Errorf("%d requests were made although the breaker is open", n)
	}

	w.pass(31 * time.Second)
	w.do("run").wantCode(t, exit.Left).wantSilence(t) // the probe fails: no news
	if n := len(w.received()); n != 1 {
		t.Errorf("%d probes were made, want 1", n)
	}

	w.answer(http.StatusOK)
	w.pass(61 * time.Second)
	r = w.do("run").wantCode(t, exit.OK)
	wantText(t, "standard error", r.stderr, "breaker central_listener closed, the listener is back after 6 failures, open for 2m02s")
	if n := strings.Count(r.stderr, "\n"); n != 1 {
		t.Errorf("the recovery is one line, not %d:\n%s", n, r.stderr)
	}
	if left := w.left(); len(left) != 0 {
		t.Errorf("left in the spool: %q", left)
	}
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
}

// It is the listener that was away, and not the backlog that took so long.
func TestTheTimeToSendTheBacklogIsNoTimeWithoutAListener(t *testing.T) {
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

func TestEqualErrorsAreOneLine(t *testing.T) {
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

func TestRejectedPayloadsAreToldAndCounted(t *testing.T) {
	w := newWorld(t)
	w.put("good.json", `{}`)
	w.put("bad.json", `{"not": json`)
	r := w.do("run").wantCode(t, exit.Rejected)
	wantText(t, "standard error", r.stderr, "1 payload was rejected", "spoolfwd rejected list")
	if n := len(w.received()); n != 1 {
		t.Errorf("%d requests, want 1: content that is not JSON is not sent", n)
	}
}

func TestALimitEndsARunWithItsOwnCode(t *testing.T) {
	w := newWorld(t)
	for i := range 4 {
		w.put(fmt.Sprintf("p%d.json", i), `{}`)
	}
	w.do("run", "--max-items", "1").wantCode(t, exit.Busy).wantSilence(t)
	w.do("run", "--max-bytes", "2").wantCode(t, exit.Busy).wantSilence(t)
	if n := len(w.received()); n != 2 {
		t.Errorf("%d items were sent, want one per run", n)
	}
	w.do("run", "--max-runtime", "1ns").wantCode(t, exit.Busy).wantSilence(t)
	w.do("run", "--max-items", "2").wantCode(t, exit.OK).wantSilence(t)
}

func TestASignalEndsARunWithItsCode(t *testing.T) {
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

func TestBadSpools(t *testing.T) {
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
		t.Error("a state directory was made for runs that could not be")
	}
}

// Junk in the spool never stops what is good, never hangs, and is named once.
func TestJunkInTheSpoolIsNamedAndLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.put("good.json", `{}`)
	if err := os.Mkdir(filepath.Join(w.spool, "dir.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(w.spool, "link.json")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(w.spool, "fifo.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.put("new\x1b[31m.json", `{}`)
	w.put("bad\xff.json", `{}`)
	r := w.do("run").wantCode(t, exit.OK)
	wantText(t, "standard error", r.stderr, "3 entries were skipped", "dir.json", "link.json", "fifo.json")
	if n := strings.Count(r.stderr, "\n"); n != 1 {
		t.Errorf("the junk is named on %d lines, want 1:\n%s", n, r.stderr)
	}
	if n := len(w.received()); n != 3 {
		t.Errorf("%d payloads were sent, want 3", n)
	}
	w.put("good.json", `{}`)
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	w.put("good.json", `{}`)
	r = w.do("run", "-v").wantCode(t, exit.OK)
	wantText(t, "a verbose run", r.stderr, "3 entries were skipped", "dir.json")
	w.put("good.json", `{}`)
	r = w.do("flush").wantCode(t, exit.OK)
	wantText(t, "a flush by hand", r.stderr, "3 entries were skipped", "dir.json")
	if err := os.Symlink("/etc/passwd", filepath.Join(w.spool, "more.json")); err != nil {
		t.Fatal(err)
	}
	w.put("good.json", `{}`)
	r = w.do("run").wantCode(t, exit.OK)
	wantText(t, "a run with one more", r.stderr, "4 entries were skipped", "more.json")
}

func TestTheSummaryOfARunAsJSON(t *testing.T) {
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
