package main

import (
	"cmp"
	"errors"
	"os"
	"slices"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/doctor"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// transmitter is what the transmitters of all protocols have in common.
type transmitter interface {
	drain.Transmitter
	URL() string // for display
	ReadSystemRoots()
	Close()
}

// newTransmitter returns the transmitter for the listener, or nil with an error.
func (s *session) newTransmitter() (transmitter, error) {
	var t transmitter
	var err error
	if stream.Speaks(s.cfg.Listener.URL) {
		t, err = s.newPublisher()
	} else {
		t, err = s.newPoster()
	}
	if err != nil {
		return nil, wrongTransmitter(err)
	}
	return t, nil
}

// newPoster returns the transmitter for a listener that speaks HTTP.
func (s *session) newPoster() (*transmit.Transmitter, error) {
	cfg := s.cfg.Listener
	cfg.UserAgent = userAgent()
	cfg.MaxIdle = cmp.Or(s.cfg.Drain.Concurrency, s.cfg.Drain.MaxConcurrency)
	if s.cfg.TestListener {
		cfg.Headers = append(slices.Clone(cfg.Headers), doctor.TestHeader)
	}
	cfg.Dial, cfg.Getenv, cfg.Now = s.env.Dial, s.env.getenv, s.env.Now
	t, err := transmit.New(cfg)
	if err == nil && t.NeedsName() && s.cfg.Drain.BatchItems > 1 {
		err = errors.New("{name} and --batch-items do not go together: a request holds items of several payload files")
	}
	return t, err
}

// wrongTransmitter gives errors their codes: one for a file that may not be read, and another for
// everything else, which is a matter of configuration.
func wrongTransmitter(err error) error {
	var all []error
	for _, e := range exit.Each(err) {
		if errors.Is(e, os.ErrPermission) {
			all = append(all, exit.With(exit.Permission, e))
		} else {
			all = append(all, exit.With(exit.Config, e))
		}
	}
	return errors.Join(all...)
}
