package main

import (
	"context"
	"math"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
)

func breakerShow(_ context.Context, s *session) error {
	b, err := s.peekBreaker()
	if err != nil {
		return err
	}
	if s.cfg.JSON {
		s.out.JSON(b.Stats(s.env.Now()))
		return nil
	}
	s.printBreaker(b)
	return nil
}

// printBreaker describes the breaker in a few lines.
func (s *session) printBreaker(b *breaker.Breaker) {
	now := s.env.Now()
	stats := b.Stats(now)
	s.out.Line("breaker        %s: %s", stats.Name, describeBreaker(b, now))
	s.out.Line("failures       %d in a row, opens at %d", stats.FailureCount, stats.FailureThreshold)
	if stats.LastFailureTime > 0 {
		s.out.Line("last failure   %s", console.Ago(unixTime(stats.LastFailureTime), now))
	}
	if stats.OpenSince > 0 {
		s.out.Line("opened         %s", console.Ago(unixTime(stats.OpenSince), now))
	}
	if stats.OpenedAt > stats.OpenSince && stats.OpenSince > 0 {
		s.out.Line("opened again   %s", console.Ago(unixTime(stats.OpenedAt), now))
	}
	s.out.Line("state file     %s", b.StatePath())
}

// describeBreaker says the effective state in words.
func describeBreaker(b *breaker.Breaker, now time.Time) string {
	stats := b.Stats(now)
	switch stats.EffectiveState {
	case breaker.Closed:
		return "closed"
	case breaker.HalfOpen:
		return "half-open, the next run may probe"
	}
	by := ""
	if stats.Tripped {
		by = " by hand"
	}
	probe := unixTime(stats.NextProbeAt)
	return "open" + by + ", next probe in " + console.Duration(probe.Sub(now)) + " (" + probe.Format(time.RFC3339) + ")"
}

func breakerReset(_ context.Context, s *session) error {
	b, lock, err := s.holdBreaker()
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := b.Reset(s.env.Now()); err != nil {
		return err
	}
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
		s.out.JSON(b.Stats(now))
		return nil
	}
	s.out.Line("%s is %s", b.Stats(now).Name, describeBreaker(b, now))
	return nil
}

// unixTime converts the state file's times.
func unixTime(seconds float64) time.Time {
	return time.UnixMicro(int64(math.Round(seconds * 1e6)))
}
