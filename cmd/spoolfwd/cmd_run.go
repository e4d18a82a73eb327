package main

import (
	"context"
	"log/slog"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// runCommand is the scheduled run.
//
// A run that finds the lock held says so only with -v. Under a scheduler that happens whenever a
// backlog takes longer than the interval, and a mail every minute would teach people not to read
// mails. The exit code, 75, says it without -v too. A lock that has been held for an hour is
// another matter: a process is stuck, or somebody stops all deliveries.
func runCommand(ctx context.Context, s *session) error {
	if s.cfg.DryRun {
		return s.dryRun(ctx)
	}
	d, err := s.openDrainer()
	if isHeld(err) {
		if long := s.heldForLong(err); long != nil {
			logError(s.log, slog.LevelWarn, long, "event", "held")
		} else {
			logError(s.log, slog.LevelInfo, err, "event", "held")
		}
		return exit.Silently(exit.Busy)
	}
	if err != nil {
		return s.notRun(err)
	}
	defer d.close()
	ctx, waitUntil, cancel := s.limit(ctx)
	defer cancel()
	d.waitForProbe(ctx, waitUntil)
	return d.drain(ctx).end()
}
