package main

import (
	"errors"
	"fmt"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/metrics"
	"github.com/bitville-apm/spoolfwd/spool"
)

// measure writes the metrics of a drain, if they are wanted. A number that cannot be counted or
// written is a fault of the run, because somebody relies on the file.
func (d *drainer) measure(o *outcome) {
	if d.s.cfg.MetricsFile == "" {
		return
	}
	got := metrics.Samples{}
	// Producers have not stopped for the run, so the spool is counted anew.
	page, err := d.spool.Scan(spool.Entry{}, 1)
	if err == nil {
		got.Backlog(page, d.index.Deferred(), o.ended)
	}
	files, bytes, errRejected := d.spool.CountRejected()
	if errRejected == nil {
		got.Rejected(files, bytes)
	}
	o.addFaults(errors.Join(err, errRejected))
	got.Report(o.report)
	got.Breaker(o.after, o.opened())
	got.Run(o.started, o.ended, o.code(), version())
	o.addFaults(d.s.writeMetrics(got))
}

// notRun leaves for status and for the metrics that a run ended before it could drain: when, and
// with which code, but nothing of a spool and a breaker that it never saw. A run that found the
// lock held leaves nothing, since the numbers are the holder's. Neither does root in another user's
// directory. notRun returns err, and what went wrong with the metrics.
func (s *session) notRun(err error) error {
	if isHeld(err) {
		return err
	}
	s.leaveNotRun(err)
	if s.cfg.MetricsFile == "" || s.checkMetricsDir() != nil {
		return err
	}
	got := metrics.Samples{}
	now := s.env.Now()
	got.Run(now, now, exit.Of(err), version())
	return errors.Join(err, s.writeMetrics(got))
}

func (s *session) writeMetrics(got metrics.Samples) error {
	if err := s.checkMetricsDir(); err != nil { // it was perhaps not there before
		return err
	}
	file := metrics.File{Path: s.cfg.MetricsFile, Breaker: s.cfg.Breaker.Name, Version: version()}
	replaced, err := file.Write(got)
	err = s.withMetricsHint(err)
	if replaced != "" {
		s.log.Warn(fmt.Sprintf("%s held the metrics of breaker %s, not %s", file.Path, replaced, file.Breaker),
			console.HintKey, "give each listener a --metrics-file of its own")
	}
	return err
}
