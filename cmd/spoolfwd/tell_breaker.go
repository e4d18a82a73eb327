package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// What lasts or was asked for is told with -v only: a breaker that was loaded, probes, failed or
// not, and a reset by hand. An opening and a recovery are news.

// tellRestored says with -v what was loaded.
func (s *session) tellRestored(b *breaker.Breaker) {
	now := s.env.Now()
	stats := b.Stats(now)
	s.log.Info(fmt.Sprintf("breaker %s restored from %s: %s, %s in a row", stats.Name, b.StatePath(), console.Breaker(stats, now), console.Count(stats.FailureCount, "failure")),
		"event", "restored", "breaker", stats.Name, "failures", stats.FailureCount)
}

// tellProbe says with -v that the next request decides.
func (s *session) tellProbe(b *breaker.Breaker) {
	stats := b.Stats(s.env.Now())
	s.log.Info(fmt.Sprintf("breaker %s is half-open, the next request is its probe", stats.Name),
		"event", "half_open", "breaker", stats.Name, "failures", stats.FailureCount)
}

// tellReset says with -v what a reset by hand has ended.
func (s *session) tellReset(before breaker.Stats, now time.Time) {
	s.log.Info(fmt.Sprintf("breaker %s reset by hand; it was %s, with %s in a row", before.Name, console.Breaker(before, now), console.Count(before.FailureCount, "failure")),
		"event", "reset", "breaker", before.Name, "failures", before.FailureCount)
}

// tellBreaker says what became of the breaker, and that deliveries are back although it never
// opened. It returns the errors that this did not tell.
func (o *outcome) tellBreaker() []drain.ErrorCount {
	log, errs := o.s.log, o.report.Errors
	switch {
	case o.opened() && len(errs) == 1:
		logError(log, slog.LevelError, fmt.Errorf("%s: %w", o.openedText(), errs[0].Error), o.openedAttrs()...)
		errs = nil
	case o.opened():
		log.Error(o.openedText(), o.openedAttrs()...)
	case o.recovered():
		log.Log(context.Background(), console.LevelNotice, o.recoveredText(), "event", "recovered", "breaker", o.after.Name, "failures", o.before.FailureCount)
	case o.before.State != breaker.Closed && o.after.State == breaker.Open && o.after.OpenedAt > o.before.OpenedAt:
		log.Info(fmt.Sprintf("breaker %s opened again after a failed probe", o.after.Name), "event", "opened_again", "breaker", o.after.Name, "failures", o.after.FailureCount)
	}
	if o.failedFor > 0 {
		log.Log(context.Background(), console.LevelNotice, "deliveries are back, "+console.Duration(o.failedFor)+" after they began to fail", "event", "back", "seconds", o.failedFor.Seconds())
	}
	return errs
}

func (o *outcome) openedText() string {
	text := fmt.Sprintf("breaker %s opened after %s", o.after.Name, console.Count(o.after.FailureCount, "failure"))
	if o.after.NextProbeAt > 0 {
		text += fmt.Sprintf(", next probe in %s", console.Duration(console.Time(o.after.NextProbeAt).Sub(o.ended)))
	}
	return text
}

func (o *outcome) openedAttrs() []any {
	return []any{"event", "opened", "breaker", o.after.Name, "failures", o.after.FailureCount,
		"next_probe", console.Time(o.after.NextProbeAt), "next_probe_at", o.after.NextProbeAt}
}

func (o *outcome) recoveredText() string {
	text := fmt.Sprintf("breaker %s closed, the listener is back", o.after.Name)
	if o.before.FailureCount > 0 {
		text += " after " + console.Count(o.before.FailureCount, "failure")
	}
	if o.before.OpenSince > 0 {
		// The time until the run began: its first request was the probe, and sending the backlog
		// after the probe may have taken an hour.
		text += ", open for " + console.Duration(o.started.Sub(console.Time(o.before.OpenSince)))
	}
	return text
}
