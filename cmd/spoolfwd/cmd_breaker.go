package main

import (
	"cmp"
	"context"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
)

// breakerReport is the breaker as --json prints it. Each time that the statistics give in Unix
// seconds stands here in RFC 3339 as well; it is absent when there is none.
type breakerReport struct {
	breaker.Stats
	LastFailure time.Time `json:"last_failure,omitzero"`
	Opened      time.Time `json:"opened,omitzero"`
	FirstOpened time.Time `json:"first_opened,omitzero"`
	NextProbe   time.Time `json:"next_probe,omitzero"`
	HeldUntil   time.Time `json:"held_until,omitzero"`
}

func reportOf(stats breaker.Stats) breakerReport {
	return breakerReport{
		stats, console.Time(stats.LastFailureTime), console.Time(stats.OpenedAt), console.Time(stats.OpenSince),
		console.Time(stats.NextProbeAt), console.Time(stats.NotBefore),
	}
}

func breakerShow(_ context.Context, s *session) error {
	b, err := s.newBreaker()
	if err != nil {
		return err
	}
	if err := cmp.Or(s.findStateDir(), b.Peek(s.env.Now())); err != nil {
		return err
	}
	if s.cfg.JSON {
		s.out.JSON(reportOf(b.Stats(s.env.Now())))
		return nil
	}
	s.printBreaker(b)
	s.printFailure(b)
	return nil
}

// printBreaker describes the breaker in a few lines, but for its last failure.
func (s *session) printBreaker(b *breaker.Breaker) {
	now := s.env.Now()
	stats := b.Stats(now)
	s.out.Line("breaker        %s: %s", stats.Name, console.Breaker(b.Stats(now), now))
	s.out.Line("failures       %d in a row, opens at %d", stats.FailureCount, stats.FailureThreshold)
	if stats.OpenSince > 0 {
		s.out.Line("opened         %s", console.Ago(console.Time(stats.OpenSince), now))
	}
	if stats.OpenedAt > stats.OpenSince && stats.OpenSince > 0 {
		s.out.Line("opened again   %s", console.Ago(console.Time(stats.OpenedAt), now))
	}
	s.out.Line("state file     %s", b.StatePath())
}

// printFailure describes the breaker's last failure, if there was one since the last success.
func (s *session) printFailure(b *breaker.Breaker) {
	now := s.env.Now()
	stats := b.Stats(now)
	if stats.LastFailureTime > 0 {
		s.out.Line("last failure   %s", console.Ago(console.Time(stats.LastFailureTime), now))
	}
	if stats.LastFailureCause != "" {
		s.out.Line("               %s", stats.LastFailureCause)
	}
}

func breakerReset(_ context.Context, s *session) error {
	b, lock, err := s.holdBreaker()
	if err != nil {
		return err
	}
	defer lock.Release()
	now := s.env.Now()
	before := b.Stats(now)
	if err := b.Reset(now); err != nil {
		return err
	}
	s.tellReset(before, now)
	return s.showChange(b)
}

func breakerTrip(_ context.Context, s *session) error {
	b, lock, err := s.holdBreaker()
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := b.Trip(s.env.Now(), s.cfg.For); err != nil {
		return err
	}
	return s.showChange(b)
}

// showChange tells what the breaker became.
func (s *session) showChange(b *breaker.Breaker) error {
	now := s.env.Now()
	if s.cfg.JSON {
		s.out.JSON(reportOf(b.Stats(now)))
		return nil
	}
	s.out.Line("%s is %s", b.Stats(now).Name, console.Breaker(b.Stats(now), now))
	return nil
}
