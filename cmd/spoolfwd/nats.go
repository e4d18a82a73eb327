//go:build nats

package main

import "github.com/bitville-apm/spoolfwd/spool/transmit/jetstream"

// newPublisher returns the transmitter for a stream of NATS.
func (s *session) newPublisher() (transmitter, error) {
	l := s.cfg.Listener
	return jetstream.New(jetstream.Config{
		URL: l.URL, ConnectTimeout: l.ConnectTimeout, Timeout: l.Timeout, ClientName: userAgent(),
		ContentType: l.ContentType, Headers: l.Headers, TokenFile: l.TokenFile, CredsFile: s.cfg.CredsFile,
		CAFile: l.CAFile, CertFile: l.CertFile, KeyFile: l.KeyFile, Dial: s.env.Dial,
	})
}
