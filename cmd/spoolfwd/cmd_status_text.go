package main

import (
	"fmt"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// printRuns says how runs go.
func (s *session) printRuns(r *statusReport) {
	now := s.env.Now()
	if r.LastRun != nil {
		s.out.Line("last run       %s, ended with %d: %s", console.Ago(r.LastRun.Ended, now), r.LastRun.ExitCode, exit.Words(r.LastRun.ExitCode))
	} else if r.Breaker != nil { // otherwise nobody may look for one
		s.out.Line("last run       none is known")
	}
	if !r.LastDelivery.IsZero() {
		s.out.Line("last delivery  %s", console.Ago(r.LastDelivery, now))
	}
	if e := r.LastError; e != nil {
		times := "once"
		if e.Count > 1 {
			times = fmt.Sprintf("%d times since %s", e.Count, console.Ago(e.First, now))
		}
		s.out.Line("last error     %s, %s", console.Ago(e.Last, now), times)
		payload := ""
		if e.Payload != "" {
			payload = e.Payload + ": "
		}
		s.out.Line("               %s%s", payload, e.Error)
	}
}

func (s *session) printSpool(r *statusReport) {
	if r.Lock != nil {
		since := ""
		if !r.Lock.Since.IsZero() {
			since = ", since " + console.Ago(r.Lock.Since, s.env.Now())
		}
		s.out.Line("lock           held by %s%s", r.Lock.String(), since)
	}
	s.out.Line("listener       %s", r.Listener.URL)
	s.out.Line("spool          %s: %s, %s", r.Spool.Dir, console.Count(r.Spool.Files, "payload file"), console.Size(r.Spool.Bytes))
	if r.Spool.Files > 0 {
		s.out.Line("oldest         %s, %s", r.Spool.Oldest, console.Duration(seconds(r.Spool.OldestAge)))
	}
	if r.Spool.Deferred > 0 {
		s.out.Line("deferred       %s", console.Count(r.Spool.Deferred, "item"))
		s.printDeferred(r.Spool.DeferredFiles)
	}
	if r.Spool.Unfinished > 0 {
		s.out.Line("unfinished     %s, the oldest is %s, %s", console.Count(r.Spool.Unfinished, "payload file"), r.Spool.unfinished,
			console.Duration(seconds(r.Spool.UnfinishedAge)))
	}
	if r.Spool.Stuck > 0 {
		s.out.Line("stuck          %s delivered and not removable", console.Count(r.Spool.Stuck, "payload file"))
	}
	if r.Spool.Skipped > 0 {
		s.out.Line("skipped        %s", console.Count(r.Spool.Skipped, "entry"))
	}
	if r.Spool.Unmatched > 0 {
		s.out.Line("not matched    %s by --pattern: %s", console.Count(r.Spool.Unmatched, "entry"), listed(r.Spool.UnmatchedSome, r.Spool.Unmatched))
	}
	s.out.Line("rejected       %s, %s", console.Count(r.Rejected.Files, "payload"), console.Size(r.Rejected.Bytes))
}

// maxDeferredNamed bounds how many deferred payload files status names to a person.
const maxDeferredNamed = 5

// printDeferred names the payload files that fail while others are delivered.
func (s *session) printDeferred(files []deferredReport) {
	for _, f := range files[:min(len(files), maxDeferredNamed)] {
		answer := "no answer to the last"
		if f.Status != 0 {
			answer = fmt.Sprintf("the last answered %d", f.Status)
		}
		if f.Refused > 0 {
			answer += ", refused and waiting for a usable rejected/"
		}
		s.out.Line("               %s: %s, %s, %s", f.Name, console.Count(f.Attempts, "attempt"), answer, console.Ago(f.Last, s.env.Now()))
	}
	if more := len(files) - maxDeferredNamed; more > 0 {
		s.out.Line("               and %s", console.Count(more, "more file"))
	}
}
