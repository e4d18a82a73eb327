package metrics

import (
	"strconv"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// Samples are the values of series. A number that is not known is not in it.
type Samples map[series]float64

func (s Samples) add(metric, label string, value float64) { s[series{metric, label}] += value }

// Run adds how a run ended.
func (s Samples) Run(started, ended time.Time, code exit.Code, version string) {
	at := float64(ended.UnixMilli()) / 1e3
	s.add("spoolfwd_last_run_timestamp_seconds", "", at)
	s.add("spoolfwd_last_run_duration_seconds", "", ended.Sub(started).Seconds())
	s.add("spoolfwd_last_run_exit_code", "", float64(code))
	s.add("spoolfwd_runs_total", strconv.Itoa(int(code)), 1)
	if code == exit.OK {
		s.add(lastSuccess, "", at)
	}
	s.add("spoolfwd_build_info", version, 1)
}

// Report adds what a run sent.
func (s Samples) Report(r drain.Report) {
	s.add("spoolfwd_items_total", "delivered", float64(r.Delivered))
	s.add("spoolfwd_items_total", "failed", float64(r.Failed))
	s.add("spoolfwd_items_total", "rejected", float64(r.Rejected))
	s.add("spoolfwd_expired_files_total", "", float64(r.Expired.Files))
	s.add("spoolfwd_delivered_bytes_total", "", float64(r.DeliveredBytes))
	for status, n := range r.Statuses {
		s.add("spoolfwd_requests_total", classOf(status), float64(n))
	}
}

func classOf(status int) string {
	switch {
	case status == 0:
		return "none"
	case status >= 200 && status <= 599:
		return strconv.Itoa(status/100) + "xx"
	}
	return "other"
}

// Breaker adds how a run left the breaker, and whether it opened it.
func (s Samples) Breaker(stats breaker.Stats, opened bool) {
	for _, state := range breakerStates() {
		s.add("spoolfwd_breaker_state", state, 0)
	}
	s.add("spoolfwd_breaker_state", stats.State.String(), 1)
	s.add("spoolfwd_breaker_consecutive_failures", "", float64(stats.FailureCount))
	if opened {
		s.add("spoolfwd_breaker_openings_total", "", 1)
	}
}

// Backlog adds what waits in the spool.
func (s Samples) Backlog(page spool.Page, deferred int, now time.Time) {
	age := 0.0
	if page.Files > 0 {
		age = max(0, page.Oldest.Age(now).Seconds())
	}
	s.add("spoolfwd_backlog_files", "", float64(page.Files))
	s.add("spoolfwd_backlog_bytes", "", float64(page.Bytes))
	s.add("spoolfwd_backlog_oldest_age_seconds", "", age)
	s.add("spoolfwd_deferred_items", "", float64(deferred))
}

// Rejected adds what lies in rejected/.
func (s Samples) Rejected(files int, bytes int64) {
	s.add("spoolfwd_rejected_files", "", float64(files))
	s.add("spoolfwd_rejected_bytes", "", float64(bytes))
}

// goOnFrom adds what counters came to before, and keeps what only a successful run sets.
func (s Samples) goOnFrom(before Samples, metrics []metric) {
	for _, m := range metrics {
		for _, key := range m.series() {
			if m.kind == counter {
				s[key] += before[key]
			}
		}
	}
	success := series{metric: lastSuccess}
	was, known := before[success]
	if _, isNew := s[success]; known && !isNew {
		s[success] = was
	}
}
