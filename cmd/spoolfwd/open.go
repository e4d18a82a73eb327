package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// newBreaker returns the configured breaker, not yet loaded.
func (s *session) newBreaker() (*breaker.Breaker, error) {
	b, err := breaker.New(breaker.Config{
		Name:             s.cfg.Name,
		StateDir:         s.cfg.StateDir,
		FailureThreshold: s.cfg.FailureThreshold,
		RetryTimeout:     s.cfg.RetryTimeout,
		RetryJitter:      s.cfg.RetryJitter,
		MaxRetryAfter:    s.cfg.MaxRetryAfter,
		MachineID:        s.env.MachineID(),
	})
	return b, exit.With(exit.Config, err)
}

// holdLock takes the lock, for commands that change what a run changes. The
// breaker is not loaded.
func (s *session) holdLock() (*breaker.Breaker, *breaker.Lock, error) {
	b, err := s.newBreaker()
	if err != nil {
		return nil, nil, err
	}
	if err := s.makeStateDir(); err != nil {
		return nil, nil, fmt.Errorf("cannot create the state directory: %w", err)
	}
	lock, err := takeLock(b.LockPath())
	return b, lock, err
}

// holdBreaker takes the lock and then loads the breaker, for commands that
// change it. The lock comes first: what is loaded without it may be changed by
// its holder in the next moment.
func (s *session) holdBreaker() (*breaker.Breaker, *breaker.Lock, error) {
	b, lock, err := s.holdLock()
	if err != nil {
		return nil, nil, err
	}
	s.warn(b.Open(s.env.Now()))
	return b, lock, nil
}

// peekBreaker loads the breaker without a lock and without changing anything.
func (s *session) peekBreaker() (*breaker.Breaker, error) {
	b, err := s.newBreaker()
	if err != nil {
		return nil, err
	}
	s.warn(b.Peek(s.env.Now()))
	return b, nil
}

func (s *session) warn(err error) { logError(s.log, slog.LevelWarn, err) }

// openSpool opens the spool directory.
func (s *session) openSpool() (*spool.Spool, error) {
	sp, err := spool.Open(spool.Config{
		Dir:         s.cfg.Spool,
		Pattern:     s.cfg.Pattern,
		MaxFileSize: int64(s.cfg.MaxFileSize),
		Whole:       s.cfg.ArrayFiles == "whole",
		Raw:         s.cfg.Raw,
		MachineID:   s.env.MachineID(),
	})
	if errors.Is(err, os.ErrNotExist) {
		err = exit.With(exit.Config, err)
	}
	return sp, err
}

// newTransmitter returns the transmitter for the listener.
func (s *session) newTransmitter() (*transmit.Transmitter, error) {
	compress := s.cfg.Compress
	if compress == "none" {
		compress = ""
	}
	t, err := transmit.New(transmit.Config{
		URL:            s.cfg.URL,
		ConnectTimeout: s.cfg.ConnectTimeout,
		Timeout:        s.cfg.Timeout,
		UserAgent:      userAgent(),
		ContentType:    s.cfg.ContentType,
		Headers:        s.cfg.Headers,
		TokenFile:      s.cfg.TokenFile,
		CAFile:         s.cfg.CAFile,
		CertFile:       s.cfg.CertFile,
		KeyFile:        s.cfg.KeyFile,
		OnStatus:       s.cfg.OnStatus,
		MaxIdle:        s.cfg.Concurrency,
		Compress:       compress,
		Dial:           s.env.Dial,
		Getenv:         s.env.getenv,
		Now:            s.env.Now,
	})
	return t, wrongTransmitter(err)
}

// wrongTransmitter gives a file that may not be read the code for permissions
// and everything else that for configuration.
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
