package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// statusReport is what status prints with --json. Ages are seconds, sizes bytes.
type statusReport struct {
	Breaker   *breakerReport `json:"breaker"`   // null when its state cannot be read
	Available bool           `json:"available"` // a request may go now, as far as is known
	Lock      *lockHolder    `json:"lock"`      // null when nobody holds it, or nobody knows
	Listener  listenerReport `json:"listener"`
	Spool     spoolReport    `json:"spool"`
	Rejected  rejectedReport `json:"rejected"`
}

type listenerReport struct {
	URL            string  `json:"url"`             // as messages show it
	Timeout        float64 `json:"timeout"`         // seconds
	ConnectTimeout float64 `json:"connect_timeout"` // seconds
}

type spoolReport struct {
	Dir           string  `json:"dir"`
	Files         int     `json:"files"`
	Bytes         int64   `json:"bytes"`
	Oldest        string  `json:"oldest,omitempty"`         // name
	OldestAge     float64 `json:"oldest_age,omitempty"`     // seconds
	Deferred      int     `json:"deferred"`                 // items
	Unfinished    int     `json:"unfinished"`               // files; their producers may still be writing them
	UnfinishedAge float64 `json:"unfinished_age,omitempty"` // seconds since the oldest of these was made
	Stuck         int     `json:"delivered_not_removable"`  // files; they are removed when possible, and never sent again
	Skipped       int     `json:"skipped"`                  // entries with the name of a payload file that are not payload files

	DeferredFiles []deferredReport `json:"deferred_files"`

	unfinished string // the oldest of the files that are still written
}

type deferredReport struct {
	Name     string    `json:"name"`     // quoted when it is not UTF-8
	Items    int       `json:"items"`    // deferred ones
	Refused  int       `json:"refused"`  // those of them that only wait for rejected/
	Attempts int       `json:"attempts"` // of the item that has most
	Status   int       `json:"status"`   // of the last answer; 0: none came
	Last     time.Time `json:"last"`     // attempt
}

type rejectedReport struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

func statusCommand(_ context.Context, s *session) error {
	b, r, err := s.takeStatus()
	switch {
	case r == nil && s.cfg.Check:
		return s.pluginUnknown(err)
	case r == nil:
		return err
	case s.cfg.Check:
		return s.plugin(r, err)
	case s.cfg.JSON:
		s.out.JSON(r)
		return err
	}
	if r.Breaker != nil {
		s.printBreaker(b)
	}
	s.printSpool(r)
	return err
}

// takeStatus looks at everything and changes nothing. What cannot be read is an error beside a
// report of the rest.
func (s *session) takeStatus() (*breaker.Breaker, *statusReport, error) {
	b, err := s.newBreaker()
	if err != nil {
		return nil, nil, err
	}
	sp, err := s.openSpool()
	if err != nil {
		return nil, nil, err
	}
	defer sp.Close()
	w, err := sp.Scan(spool.Entry{}, 1)
	if err != nil {
		return nil, nil, err
	}
	now := s.env.Now()
	r := &statusReport{
		Lock:     whoHolds(b.LockPath()),
		Listener: listenerReport{transmit.Redact(s.cfg.Listener.URL), s.cfg.Listener.Timeout.Seconds(), s.cfg.Listener.ConnectTimeout.Seconds()},
		Spool:    spoolReport{Dir: sp.Dir(), Files: w.Files, Bytes: w.Bytes, Skipped: w.Skipped.Count},
	}
	errState := b.Peek(now)
	if errState == nil {
		report := reportOf(b.Stats(now))
		r.Breaker, r.Available = &report, b.Wait(now) == 0
	}
	if w.Files > 0 {
		r.Spool.Oldest = w.Oldest.Name
		r.Spool.OldestAge = max(0, w.Oldest.Age(now).Seconds())
		written, err := sp.Unfinished(now)
		s.warn(err)
		if r.Spool.Unfinished = len(written); len(written) > 0 {
			r.Spool.unfinished = written[0].Name
			r.Spool.UnfinishedAge = max(0, now.Sub(written[0].Since).Seconds())
		}
	}
	index, errIndex := drain.PeekIndex(drain.IndexPath(s.cfg.Breaker.StateDir, s.cfg.Breaker.Name))
	r.Spool.Deferred, r.Spool.Stuck = index.Deferred(), index.Undeletable()
	r.Spool.DeferredFiles = []deferredReport{}
	for _, f := range index.DeferredFiles() {
		r.Spool.DeferredFiles = append(r.Spool.DeferredFiles, deferredReport{spool.EncodeName(f.Name), f.Items, f.Refused, f.Attempts, f.Status, f.Last})
	}
	r.Rejected.Files, r.Rejected.Bytes, err = sp.CountRejected()
	return b, r, errors.Join(errState, errIndex, err)
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

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
