package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// drainHint says what an error of package drain means for the next run, or "".
func drainHint(err error) string {
	var index *drain.IndexError
	var stuck *drain.StuckError
	switch {
	case errors.As(err, &index) && index.Peeked:
		return "the next run begins a new one"
	case errors.As(err, &index):
		return "deferred payloads have lost their place at the end of the queue, and what was delivered and is still in the spool is sent again under the same keys"
	case errors.As(err, &stuck) && stuck.Remembered:
		return "what is delivered of it will not be sent again"
	case errors.As(err, &stuck):
		return "what is delivered of it may be sent again, under the same keys"
	}
	return ""
}

// rejectedHint also names what a listener may not understand. Such a listener refuses every
// payload.
func (o *outcome) rejectedHint() string {
	hint := "see 'spoolfwd rejected list'"
	var on []string
	if o.s.cfg.Listener.Compress != "" {
		on = append(on, "--compress")
	}
	if o.s.cfg.Drain.BatchItems > 1 {
		on = append(on, "--batch-items")
	}
	if len(on) > 0 && slices.ContainsFunc(o.report.Rejections, func(r drain.Rejection) bool { return r.Status == 400 }) {
		hint += "; a listener that does not understand " + strings.Join(on, " or ") + " answers 400, too: try without"
	}
	return hint
}
