package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// Whoever reads the output and the metrics of runs must not miss the one that was ended early.
func TestARunThatASignalEndsWhileItWaitsForAProbeReportsLikeAnyOther(t *testing.T) {
	for _, command := range []string{"run", "flush --wait 10s"} {
		t.Run(command, func(t *testing.T) {
			w := openWorld(t, 2)
			w.pass(55 * time.Second)
			ctx, cancel := context.WithCancelCause(t.Context())
			w.env.Wait = func(context.Context, time.Duration) error {
				cancel(exit.Signalled{Signal: syscall.SIGTERM})
				return context.Cause(ctx)
			}
			file := filepath.Join(t.TempDir(), "spoolfwd.prom")
			r := w.doContext(ctx, command, "--json", "--metrics-file", file).wantCode(t, 143)
			var sum runSummary
			if err := json.Unmarshal([]byte(r.stdout), &sum); err != nil {
				t.Errorf("standard output is not a summary: %v: %q", err, r.stdout)
			}
			if sum.Stop != "cancelled" || sum.ExitCode != 143 || sum.Left != 2 || sum.Requests != 0 || sum.Breaker.State != breaker.Open {
				t.Errorf("the summary is %+v", sum)
			}
			metrics, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			wantText(t, "the metrics", string(metrics), "spoolfwd_last_run_exit_code{name=\"central_listener\"} 143\n", "spoolfwd_backlog_files{name=\"central_listener\"} 2\n")
		})
	}
}

func TestTheTimeARunMayTakeIncludesItsWaitForAProbe(t *testing.T) {
	for _, command := range []string{"run", "flush --wait 10s"} {
		t.Run(command, func(t *testing.T) {
			w := openWorld(t, 1)
			w.pass(time.Minute - time.Millisecond)
			w.env.Wait = func(ctx context.Context, _ time.Duration) error {
				if _, bounded := ctx.Deadline(); !bounded {
					t.Error("the wait may take any time")
					return nil
				}
				<-ctx.Done() // so the wait takes all that there is
				return context.Cause(ctx)
			}
			w.do(command, "--max-runtime", "10ms").wantCode(t, exit.Busy)
			if n := len(w.received()); n != 0 {
				t.Errorf("%d requests after the time was over", n)
			}
		})
	}
}
