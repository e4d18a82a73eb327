package main

import (
	"strconv"

	dto "github.com/prometheus/client_model/go"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// metric declares one metric. Every series carries the label "name", the
// breaker's name, so that the files of several listeners can lie side by side.
type metric struct {
	name   string
	kind   dto.MetricType
	help   string
	label  string   // a second label, or ""
	values []string // of that label: each is a series from the first run on
}

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

const (
	gauge   = dto.MetricType_GAUGE
	counter = dto.MetricType_COUNTER
)

// metricTable returns every metric in the order of the file. Gauges tell how it
// was at the end of the run. Counters go on from run to run: an alert on a rise
// must not depend on being scraped between two runs. For the same reason their
// series begin at 0 and not with the first event, whose rise would be missed.
func metricTable() []metric {
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
		{name: "spoolfwd_delivered_bytes_total", kind: counter, help: "Bytes of the items delivered."},
		{name: "spoolfwd_requests_total", kind: counter, label: "class", values: statusClasses(), help: "Requests by the class of the answer's status; none when no answer came."},
		{name: "spoolfwd_runs_total", kind: counter, label: "exit_code", values: exitCodeTexts(), help: "Runs by exit code."},
		{name: "spoolfwd_last_run_timestamp_seconds", kind: gauge, help: "When the last run ended, Unix time."},
		{name: "spoolfwd_last_run_duration_seconds", kind: gauge, help: "How long the last run took."},
		{name: "spoolfwd_last_run_exit_code", kind: gauge, help: "Exit code of the last run."},
		{name: "spoolfwd_last_success_timestamp_seconds", kind: gauge, help: "When the last run with exit code 0 ended, Unix time."},
		{name: "spoolfwd_build_info", kind: gauge, label: "version", values: []string{version()}, help: "1, labelled with the version of spoolfwd."},
	}
}

func breakerStates() []string {
	return []string{breaker.Closed.String(), breaker.Open.String(), breaker.HalfOpen.String()}
}

func statusClasses() []string { return []string{"2xx", "3xx", "4xx", "5xx", "other", "none"} }

func statusClass(status int) string {
	switch {
	case status == 0:
		return "none"
	case status >= 200 && status <= 599:
		return strconv.Itoa(status/100) + "xx"
	}
	return "other"
}

func exitCodeText(code exit.Code) string { return strconv.Itoa(int(code)) }

func exitCodeTexts() []string {
	var texts []string
	for _, e := range exit.Meanings() {
		texts = append(texts, exitCodeText(e.Code))
	}
	return texts
}

// series is one line of the file but for the value: a metric and the value of
// its second label.
type series struct{ metric, label string }

// samples are the values of series. What is not known is not in it.
type samples map[series]float64

func (s samples) set(metric string, value float64) { s[series{metric, ""}] = value }

func (s samples) add(metric, label string, value float64) { s[series{metric, label}] += value }

// goOnFrom adds what counters came to before, and keeps what only a successful
// run sets.
func (s samples) goOnFrom(before samples) {
	for _, m := range metricTable() {
		for _, key := range m.series() {
			if m.kind == counter {
				s[key] += before[key]
			}
		}
	}
	success := series{metric: "spoolfwd_last_success_timestamp_seconds"}
	was, known := before[success]
	if _, isNew := s[success]; known && !isNew {
		s[success] = was
	}
}

// families returns the samples in the form that the exposition library writes.
func (s samples) families(name string) []*dto.MetricFamily {
	var all []*dto.MetricFamily
	for _, m := range metricTable() {
		family := &dto.MetricFamily{Name: &m.name, Help: &m.help, Type: &m.kind}
		for _, key := range m.series() {
			value, known := s[key]
			if !known {
				continue
			}
			out := &dto.Metric{Label: []*dto.LabelPair{labelPair("name", name)}}
			if m.label != "" {
				out.Label = append(out.Label, labelPair(m.label, key.label))
			}
			if m.kind == counter {
				out.Counter = &dto.Counter{Value: &value}
			} else {
				out.Gauge = &dto.Gauge{Value: &value}
			}
			family.Metric = append(family.Metric, out)
		}
		if len(family.Metric) > 0 {
			all = append(all, family)
		}
	}
	return all
}

func labelPair(name, value string) *dto.LabelPair {
	return &dto.LabelPair{Name: &name, Value: &value}
}
