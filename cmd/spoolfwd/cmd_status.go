package main

import (
	"context"
	"errors"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// statusReport is what status prints with --json. Ages are seconds, sizes bytes.
type statusReport struct {
	Breaker   *breakerReport `json:"breaker"`   // null when its state cannot be read
	Available bool           `json:"available"` // a request may go now, as far as is known

	LastRun      *runReport `json:"last_run"`               // null when none is known
	LastDelivery time.Time  `json:"last_delivery,omitzero"` // end of the last run that delivered something
	LastError    *lastError `json:"last_error"`             // null when none is known

	Lock     *lockHolder    `json:"lock"` // null when nobody holds it, or nobody knows
	Listener listenerReport `json:"listener"`
	Spool    spoolReport    `json:"spool"`
	Rejected rejectedReport `json:"rejected"`
}

type runReport struct {
	Ended    time.Time `json:"ended"`
	ExitCode exit.Code `json:"exit_code"`
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

	Unmatched     int      `json:"unmatched"`       // entries with another name than a payload file's
	UnmatchedSome []string `json:"unmatched_names"` // the first few of them

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
		if r.LastError == nil {
			s.printFailure(b)
		}
	}
	s.printRuns(r)
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
		Listener: listenerReport{settings.RedactURL(s.cfg.Listener.URL), s.cfg.Listener.Timeout.Seconds(), s.cfg.Listener.ConnectTimeout.Seconds()},
		Spool: spoolReport{Dir: sp.Dir(), Files: w.Files, Bytes: w.Bytes, Skipped: w.Skipped.Count,
			Unmatched: w.Unmatched.Count, UnmatchedSome: []string{}, DeferredFiles: []deferredReport{}},
	}
	for _, name := range w.Unmatched.Samples {
		r.Spool.UnmatchedSome = append(r.Spool.UnmatchedSome, spool.EncodeName(name))
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
	errState := s.takeState(b, r, now)
	r.Rejected.Files, r.Rejected.Bytes, err = sp.CountRejected()
	return b, r, errors.Join(errState, err)
}

// takeState looks at the files of the state directory.
func (s *session) takeState(b *breaker.Breaker, r *statusReport, now time.Time) error {
	if err := s.findStateDir(); err != nil {
		return err
	}
	errBreaker := b.Peek(now)
	if errBreaker == nil {
		report := reportOf(b.Stats(now))
		r.Breaker, r.Available = &report, b.Wait(now) == 0
	}
	index, errIndex := drain.PeekIndex(drain.IndexPath(s.cfg.Breaker.StateDir, s.cfg.Breaker.Name))
	r.Spool.Deferred, r.Spool.Stuck = index.Deferred(), index.Undeletable()
	for _, f := range index.DeferredFiles() {
		r.Spool.DeferredFiles = append(r.Spool.DeferredFiles, deferredReport{spool.EncodeName(f.Name), f.Items, f.Refused, f.Attempts, f.Status, f.Last})
	}
	return errors.Join(errBreaker, s.takeLastRun(r), errIndex)
}

// takeLastRun looks at what runs have left.
func (s *session) takeLastRun(r *statusReport) error {
	l, ended, err := readLastRun(lastRunFile(s.cfg.Breaker))
	if err != nil || ended.IsZero() {
		return err
	}
	r.LastRun, r.LastDelivery = &runReport{ended, l.ExitCode}, l.LastDelivery
	if l.LastError.Error != "" {
		r.LastError = &l.LastError
	}
	return nil
}

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
