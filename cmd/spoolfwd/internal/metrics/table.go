// Package metrics writes what became of runs into a file that node_exporter's textfile collector
// reads.
//
// It promises that a reader sees the old file or the new one, and that counters go on from run to
// run: an alert on a rise must not depend on being scraped between two runs. For the same reason
// the series of a counter begin at 0 and not with the first event, whose rise would be missed.
//
// A crash leaves the old file and a temporary, which the next run takes over. Nothing is synced:
// numbers that a power cut takes are written again a minute later, and a file that it has damaged
// counts from 0, which every reader of counters expects to happen.
package metrics

import (
	"strconv"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// The kinds of metrics, as the text format names them.
const (
	gauge   = "gauge"
	counter = "counter"
)

// metric declares one metric. Every series carries the label "name", the breaker's name, so that
// the files of several listeners can lie side by side.
type metric struct {
	name   string
	kind   string
	help   string
	label  string   // a second label, or ""
	values []string // of that label: each is a series from the first run on
}

// series is one line of the file without its value: a metric and the value of its second label.
type series struct{ metric, label string }

// series returns the metric's series, in order.
func (m metric) series() []series {
	if m.label == "" {
		return []series{{m.name, ""}}
	}
	var all []series
	for _, value := range m.values {
		all = append(all, series{m.name, value})
	}
	return all
}

// The metrics that more than one place names.
const lastSuccess = "spoolfwd_last_success_timestamp_seconds"

// table returns every metric in the order of the file. A gauge tells how it was at the end of the
// run, a counter goes on from run to run.
func table(version string) []metric {
	return []metric{
		{name: "spoolfwd_backlog_files", kind: gauge, help: "Payload files in the spool."},
		{name: "spoolfwd_backlog_bytes", kind: gauge, help: "Bytes of the payload files in the spool."},
		{name: "spoolfwd_backlog_oldest_age_seconds", kind: gauge, help: "Age of the oldest payload file in the spool; 0 when there is none."},
		{name: "spoolfwd_deferred_items", kind: gauge, help: "Items in the spool that failed before and go last."},
		{name: "spoolfwd_rejected_files", kind: gauge, help: "Payloads that lie in rejected/."},
		{name: "spoolfwd_rejected_bytes", kind: gauge, help: "Bytes of the payloads that lie in rejected/."},
		{name: "spoolfwd_breaker_state", kind: gauge, label: "state", values: breakerStates(), help: "1 for the state the breaker is in, 0 for the others."},
		{name: "spoolfwd_breaker_consecutive_failures", kind: gauge, help: "Failures since the last success."},
		{name: "spoolfwd_breaker_openings_total", kind: counter, help: "Times the breaker went from closed to open."},
		{name: "spoolfwd_items_total", kind: counter, label: "result", values: []string{"delivered", "failed", "rejected"}, help: "Items by what became of them in a run. A failed item stays in the spool, and counts again when it fails again."},
		{name: "spoolfwd_expired_files_total", kind: counter, help: "Payload files moved to rejected/ because the spool held too much or for too long."},
		{name: "spoolfwd_delivered_bytes_total", kind: counter, help: "Bytes of the items delivered."},
		{name: "spoolfwd_requests_total", kind: counter, label: "class", values: []string{"2xx", "3xx", "4xx", "5xx", "other", "none"}, help: "Requests by the class of the answer's status; none when no answer came."},
		{name: "spoolfwd_runs_total", kind: counter, label: "exit_code", values: exitCodes(), help: "Runs by exit code."},
		{name: "spoolfwd_last_run_timestamp_seconds", kind: gauge, help: "When the last run ended, Unix time."},
		{name: "spoolfwd_last_run_duration_seconds", kind: gauge, help: "How long the last run took."},
		{name: "spoolfwd_last_run_exit_code", kind: gauge, help: "Exit code of the last run."},
		{name: lastSuccess, kind: gauge, help: "When the last run with exit code 0 ended, Unix time."},
		{name: "spoolfwd_build_info", kind: gauge, label: "version", values: []string{version}, help: "1, labelled with the version of spoolfwd."},
	}
}

func breakerStates() []string {
	return []string{breaker.Closed.String(), breaker.Open.String(), breaker.HalfOpen.String()}
}

func exitCodes() []string {
	var texts []string
	for _, m := range exit.Meanings() {
		texts = append(texts, strconv.Itoa(int(m.Code)))
	}
	return texts
}
