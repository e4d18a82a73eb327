package main

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// openWorld has an open breaker and n payload files.
func openWorld(t *testing.T, n int) *world {
	w := newWorld(t)
	for i := range n {
		w.put(fmt.Sprintf("p%d.json", i), `{}`)
	}
	w.do("breaker trip").wantCode(t, exit.OK)
	return w
}

func TestFlushPrintsASummary(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", `[1, 2, 3]`)
	r := w.do("flush").wantCode(t, exit.OK)
	wantText(t, "standard output", r.stdout, "3 items delivered (3 bytes)", "the spool is empty")
	if r.stderr != "" {
		t.Errorf("no terminal, no progress: %q", r.stderr)
	}
	r = w.do("flush").wantCode(t, exit.OK)
	wantText(t, "standard output", r.stdout, "0 items delivered", "the spool is empty")
}

func TestFlushStopsAtAnOpenBreaker(t *testing.T) {
	w := openWorld(t, 2)
	r := w.do("flush").wantCode(t, exit.Left)
	wantText(t, "standard output", r.stdout, "0 items delivered", "2 payload files left", "the breaker is open, next probe in 1m00s")
	if n := len(w.received()); n != 0 {
		t.Errorf("%d requests went through an open breaker", n)
	}
}

func TestAForcedFlushProbesOnceAndGoesOnWhenThatSucceeds(t *testing.T) {
	w := openWorld(t, 3)
	w.answer(http.StatusServiceUnavailable)
	w.do("flush", "--force").wantCode(t, exit.Left)
	if n := len(w.received()); n != 1 {
		t.Errorf("a failing probe is followed by others: %d requests", n)
	}
	w.answer(http.StatusNoContent)
	r := w.do("flush", "--force").wantCode(t, exit.OK)
	wantText(t, "standard error", r.stderr, "closed, the listener is back")
	if n := len(w.received()); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
	w.do("breaker show").wantCode(t, exit.OK)
}

// A person who tries whether the listener is back must not end a maintenance or a Retry-After when
// it is not.
func TestAForcedFlushThatFailsLeavesTheBreakerHeld(t *testing.T) {
	for _, c := range []struct {
		name string
		hold func(*world)
		says string
	}{
		{"tripped for two hours", func(w *world) { w.do("breaker trip", "--for", "2h").wantCode(t, exit.OK) }, "open by hand, next probe in 1h59m"},
		{"Retry-After of half an hour", func(w *world) {
			w.header.Set("Retry-After", "1800")
			w.answer(http.StatusServiceUnavailable)
			w.do("run").wantCode(t, exit.Left)
			w.header.Del("Retry-After")
		}, "open, next probe in 29m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.put("a.json", `{}`)
			c.hold(w)
			w.pass(30 * time.Second)
			w.received()
			w.answer(http.StatusInternalServerError)
			w.do("flush", "--force").wantCode(t, exit.Left)
			if n := len(w.received()); n != 1 {
				t.Errorf("it made %d requests, want one", n)
			}
			r := w.do("breaker show").wantCode(t, exit.OK)
			wantText(t, "the breaker", r.stdout, c.says)
			w.do("run").wantCode(t, exit.Left)
			if n := len(w.received()); n != 0 {
				t.Error("the next run sends")
			}
		})
	}
}

func TestAForcedFlushThatSendsNothingLeavesTheBreakerHeld(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", "") // a producer may still be writing it
	w.do("breaker trip", "--for", "2h").wantCode(t, exit.OK)
	w.do("flush", "--force")
	r := w.do("breaker show").wantCode(t, exit.OK)
	wantText(t, "the breaker", r.stdout, "open by hand")
}

func TestAFlushWaitsForTheBreakerIfTheProbeIsDueInTime(t *testing.T) {
	w := openWorld(t, 2)
	start := w.time()
	w.do("flush", "--wait", "59s").wantCode(t, exit.Left)
	if w.time() != start || len(w.received()) != 0 {
		t.Errorf("it waited %s for a probe that comes too late", w.time().Sub(start))
	}
	r := w.do("flush", "--wait", "2m").wantCode(t, exit.OK)
	wantText(t, "standard error", r.stderr, "waiting 1m00s")
	if waited := w.time().Sub(start); waited != time.Minute {
		t.Errorf("it waited %s, want 1m", waited)
	}
	if n := len(w.received()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestAFlushWaitsAgainAfterAFailedProbe(t *testing.T) {
	w := openWorld(t, 2)
	w.answer(http.StatusInternalServerError)
	w.do("flush", "--wait", "150s").wantCode(t, exit.Left)
	if n := len(w.received()); n != 2 {
		t.Errorf("%d probes in 150 s at one a minute, want 2", n)
	}
}

func TestASignalEndsTheWait(t *testing.T) {
	w := openWorld(t, 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(exit.Signalled{Signal: syscall.SIGINT})
	w.runContext(ctx, "flush", "--wait", "2m", "--spool", w.spool, "--state-dir", w.state, "--url", w.listener.URL).wantCode(t, exit.Interrupt)
	if len(w.received()) != 0 {
		t.Error("it sent after the signal")
	}
}

func TestAnEmptySpoolIsNotWaitedFor(t *testing.T) {
	w := openWorld(t, 0)
	start := w.time()
	w.do("flush", "--wait", "2m").wantCode(t, exit.OK)
	if w.time() != start {
		t.Error("it waited for a breaker that nothing needs")
	}
}
