package main

import (
	"errors"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
)

// measure writes the metrics of a drain, if they are wanted. What cannot be
// counted or written is a fault of the run: somebody relies on the file.
func (d *drainer) measure(o *outcome) {
	if d.s.cfg.MetricsFile == "" {
		return
	}
	got := samples{}
	o.addFaults(d.countBacklog(got, o.ended))
	got.addReport(o)
	got.addBreaker(o.after)
	got.addRun(o.started, o.ended, o.code())
	o.addFaults(d.s.writeMetrics(got))
}

// notRun writes the metrics of a run that ended before it could drain: it says
// when and with which code, and nothing of a spool and a breaker it did not
// come to see. A run that found the lock held writes nothing, since the numbers
// are the holder's. It returns err and what went wrong itself.
func (s *session) notRun(err error) error {
	if s.cfg.MetricsFile == "" || isHeld(err) {
		return err
	}
	got := samples{}
	now := s.env.Now()
	got.addRun(now, now, exit.Of(err))
	return errors.Join(err, s.writeMetrics(got))
}

// countBacklog counts what is in the spool once the run is over: producers have
// not stopped for it.
func (d *drainer) countBacklog(got samples, now time.Time) error {
	w, errScan := d.spool.Scan(spool.Entry{}, 1)
	if errScan == nil {
		age := 0.0
		if w.Files > 0 {
			age = max(0, w.Oldest.Age(now).Seconds())
		}
		got.set("spoolfwd_backlog_files", float64(w.Files))
		got.set("spoolfwd_backlog_bytes", float64(w.Bytes))
		got.set("spoolfwd_backlog_oldest_age_seconds", age)
		got.set("spoolfwd_deferred_items", float64(d.index.Deferred()))
	}
	files, bytes, errRejected := d.spool.CountRejected()
	if errRejected == nil {
		got.set("spoolfwd_rejected_files", float64(files))
		got.set("spoolfwd_rejected_bytes", float64(bytes))
	}
	return errors.Join(errScan, errRejected)
}

func (s samples) addReport(o *outcome) {
	r := o.report
	s.add("spoolfwd_items_total", "delivered", float64(r.Delivered))
	s.add("spoolfwd_items_total", "failed", float64(r.Failed))
	s.add("spoolfwd_items_total", "rejected", float64(r.Rejected))
	s.add("spoolfwd_delivered_bytes_total", "", float64(r.DeliveredBytes))
	for status, n := range r.Statuses {
		s.add("spoolfwd_requests_total", statusClass(status), float64(n))
	}
	if o.opened() {
		s.add("spoolfwd_breaker_openings_total", "", 1)
	}
}

func (s samples) addBreaker(stats breaker.Stats) {
	for _, state := range breakerStates() {
		s.add("spoolfwd_breaker_state", state, 0)
	}
	s.add("spoolfwd_breaker_state", stats.State.String(), 1)
	s.set("spoolfwd_breaker_consecutive_failures", float64(stats.FailureCount))
}

func (s samples) addRun(started, ended time.Time, code exit.Code) {
	at := float64(ended.UnixMilli()) / 1e3
	s.set("spoolfwd_last_run_timestamp_seconds", at)
	s.set("spoolfwd_last_run_duration_seconds", ended.Sub(started).Seconds())
	s.set("spoolfwd_last_run_exit_code", float64(code))
	s.add("spoolfwd_runs_total", exitCodeText(code), 1)
	if code == exit.OK {
		s.set("spoolfwd_last_success_timestamp_seconds", at)
	}
	s.add("spoolfwd_build_info", version(), 1)
}
