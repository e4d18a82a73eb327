package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// metricsOf returns the lines of a metrics file that are not comments, as a map from series to
// value.
func metricsOf(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		values[series+"}"] = value
	}
	return values
}

func wantMetrics(t *testing.T, path string, want map[string]string) {
	t.Helper()
	got := metricsOf(t, path)
	for series, value := range want {
		if got[series] != value {
			t.Errorf("%s is %q, want %q", series, got[series], value)
		}
	}
}

// of names a series of the default breaker.
func of(metric string, label ...string) string {
	text := metric + `{name="central_listener"`
	if len(label) == 2 {
		text += fmt.Sprintf(",%s=%q", label[0], label[1])
	}
	return text + "}"
}

func TestCountersGoOnFromRunToRunAndGaugesDoNot(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "spoolfwd.prom")
	w.put("good.json", `[{"a":1},{"b":22}]`)
	w.put("bad.json", `{"not": json`)
	w.do("run", "--metrics-file", file).wantCode(t, exit.Rejected)
	wantMetrics(t, file, map[string]string{
		of("spoolfwd_backlog_files"):                          "0",
		of("spoolfwd_backlog_oldest_age_seconds"):             "0",
		of("spoolfwd_rejected_files"):                         "1",
		of("spoolfwd_rejected_bytes"):                         "12",
		of("spoolfwd_items_total", "result", "delivered"):     "2",
		of("spoolfwd_items_total", "result", "failed"):        "0",
		of("spoolfwd_items_total", "result", "rejected"):      "1",
		of("spoolfwd_delivered_bytes_total"):                  "15",
		of("spoolfwd_requests_total", "class", "2xx"):         "2",
		of("spoolfwd_requests_total", "class", "5xx"):         "0",
		of("spoolfwd_breaker_state", "state", "closed"):       "1",
		of("spoolfwd_breaker_state", "state", "open"):         "0",
		of("spoolfwd_last_run_exit_code"):                     "65",
		of("spoolfwd_last_run_timestamp_seconds"):             "1.772366402e+09",
		of("spoolfwd_last_success_timestamp_seconds"):         "",
		of("spoolfwd_runs_total", "exit_code", "65"):          "1",
		of("spoolfwd_runs_total", "exit_code", "0"):           "0",
		of("spoolfwd_build_info", "version", version()):       "1",
		of("spoolfwd_breaker_openings_total"):                 "0",
		of("spoolfwd_breaker_consecutive_failures"):           "0",
		of("spoolfwd_requests_total", "class", "none"):        "0",
		of("spoolfwd_breaker_state", "state", "half_open"):    "0",
		of("spoolfwd_deferred_items"):                         "0",
		of("spoolfwd_last_run_duration_seconds"):              "0",
		of("spoolfwd_items_total", "result", "no such thing"): "",
	})

	w.pass(time.Minute)
	w.do("run", "--metrics-file", file).wantCode(t, exit.OK).wantSilence(t)
	for i := range 8 {
		w.put(fmt.Sprintf("p%d.json", i), `{}`)
	}
	w.answer(http.StatusInternalServerError)
	w.pass(time.Minute)
	w.do("run", "--metrics-file", file).wantCode(t, exit.Left)
	wantMetrics(t, file, map[string]string{
		of("spoolfwd_backlog_files"):                      "8",
		of("spoolfwd_backlog_bytes"):                      "16",
		of("spoolfwd_backlog_oldest_age_seconds"):         "67",
		of("spoolfwd_deferred_items"):                     "0", // nothing has passed while these failed
		of("spoolfwd_items_total", "result", "delivered"): "2",
		of("spoolfwd_items_total", "result", "failed"):    "5",
		of("spoolfwd_items_total", "result", "rejected"):  "1",
		of("spoolfwd_requests_total", "class", "2xx"):     "2",
		of("spoolfwd_requests_total", "class", "5xx"):     "5",
		of("spoolfwd_breaker_state", "state", "closed"):   "0",
		of("spoolfwd_breaker_state", "state", "open"):     "1",
		of("spoolfwd_breaker_consecutive_failures"):       "5",
		of("spoolfwd_breaker_openings_total"):             "1",
		of("spoolfwd_last_run_exit_code"):                 "69",
		of("spoolfwd_last_success_timestamp_seconds"):     "1.772366462e+09",
		of("spoolfwd_last_run_timestamp_seconds"):         "1.77236653e+09",
		of("spoolfwd_runs_total", "exit_code", "0"):       "1",
		of("spoolfwd_runs_total", "exit_code", "65"):      "1",
		of("spoolfwd_runs_total", "exit_code", "69"):      "1",
	})
}

// One payload file may hold many items, and items are deferred.
func TestTheMetricOfDeferredItemsDoesNotCountFiles(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "m.prom")
	w.put("0.json", `{}`)
	w.put("a.json", `[1,2,3]`)
	for _, good := range []string{"b", "c", "d", "e", "f"} { // they pass after the failures
		w.put(good+".json", `{}`)
	}
	w.statusOf = func(body string) int {
		if body == `{}` {
			return http.StatusOK
		}
		return http.StatusInternalServerError
	}
	w.do("run", "--concurrency", "1", "--metrics-file", file).wantCode(t, exit.Left)
	wantMetrics(t, file, map[string]string{
		of("spoolfwd_backlog_files"):  "1",
		of("spoolfwd_deferred_items"): "3",
	})
}

func TestAFlushCountsAsARun(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "spoolfwd.prom")
	w.put("a.json", `{}`)
	w.do("flush", "--metrics-file", file).wantCode(t, exit.OK)
	wantMetrics(t, file, map[string]string{
		of("spoolfwd_items_total", "result", "delivered"): "1",
		of("spoolfwd_runs_total", "exit_code", "0"):       "1",
	})
}

func TestARunThatCannotBeginSaysSoAndKeepsTheCounters(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "spoolfwd.prom")
	w.put("a.json", `{}`)
	w.do("run", "--metrics-file", file).wantCode(t, exit.OK)
	if err := os.RemoveAll(w.spool); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	w.do("run", "--metrics-file", file).wantCode(t, exit.Config)
	wantMetrics(t, file, map[string]string{
		of("spoolfwd_last_run_exit_code"):                 "78",
		of("spoolfwd_last_run_timestamp_seconds"):         "1.772366461e+09",
		of("spoolfwd_last_success_timestamp_seconds"):     "1.772366401e+09",
		of("spoolfwd_items_total", "result", "delivered"): "1",
		of("spoolfwd_backlog_files"):                      "", // nobody looked
		of("spoolfwd_breaker_state", "state", "closed"):   "",
	})
}

func TestARunThatFindsTheLockHeldLeavesTheHoldersNumbersAlone(t *testing.T) {
	for _, command := range []string{"run", "flush"} {
		t.Run(command, func(t *testing.T) {
			w := newWorld(t)
			file := filepath.Join(t.TempDir(), "spoolfwd.prom")
			w.do("run", "--metrics-file", file).wantCode(t, exit.OK)
			before := metricsOf(t, file)
			lock, err := takeLock(filepath.Join(w.state, "central_listener.lock"))
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Release()
			w.pass(time.Hour)
			w.do(command, "--metrics-file", file).wantCode(t, exit.Busy)
			wantMetrics(t, file, before)
		})
	}
}

func TestADryRunWritesNoMetrics(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	w.do("run", "--dry-run", "--metrics-file", filepath.Join(dir, "spoolfwd.prom")).wantCode(t, exit.OK)
	if names := namesIn(t, dir); len(names) != 0 {
		t.Errorf("the dry run wrote %q", names)
	}
}

func TestPromtoolFindsNothingWrong(t *testing.T) {
	promtool := need.Program(t, "promtool", "prometheus")
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "spoolfwd.prom")
	w.put("a.json", `{}`)
	w.do("run", "--metrics-file", file, "--name", "a name with \"quotes\" and {braces}").wantCode(t, exit.OK)
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = text
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
