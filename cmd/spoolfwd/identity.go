package main

import (
	"cmp"
	"fmt"
	"os"

	"github.com/bitville-apm/spoolfwd/breaker"
)

// hostID returns the identity of this host, on which idempotency keys and jitter hang: --host-id,
// otherwise the machine id, otherwise the identity that earlier runs have kept in the state
// directory. It is "" if there is none yet.
func (s *session) hostID() string {
	if s.identity == "" {
		s.identity = cmp.Or(s.cfg.HostID, s.env.MachineID())
	}
	if s.identity == "" {
		s.identity = breaker.PeekHostID(s.cfg.Breaker.StateDir)
	}
	return s.identity
}

// keepHostID makes an identity if there is none, for commands that send items. It needs no lock:
// several runs at once agree on it. Where it cannot be kept (a full disk), the host name must do,
// because deliveries go on.
func (s *session) keepHostID() {
	if s.hostID() != "" {
		return
	}
	if _, err := statOf(s.cfg.Spool.Dir); err != nil {
		return // nothing is sent, and nobody knows whose directory to use
	}
	err := s.canUseStateDir()
	if err == nil {
		err = s.makeStateDir()
	}
	if err == nil {
		s.identity, err = breaker.KeepHostID(s.cfg.Breaker.StateDir)
	}
	if err != nil {
		s.warn(withHint(fmt.Errorf("this host has no identity that stays: %w", err),
			"until it has one, an item that is sent again may carry another idempotency key; --host-id gives it one"))
		s.identity, _ = os.Hostname()
	}
}
