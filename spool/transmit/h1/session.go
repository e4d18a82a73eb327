package h1

import (
	"crypto/tls"
	"sync"
	"time"
)

// maxUnproven is how long sessions are resumed after the peer has shown its certificate. A peer
// gives a new ticket for each resumption, and without a limit it would never have to prove again
// who it is (RFC 8446 section 4.6.1). TLS 1.2 has no other limit.
const maxUnproven = 24 * time.Hour

// Session is what a new connection needs to resume an earlier one.
type Session struct {
	TLS    *tls.ClientSessionState
	Proven time.Time // when the peer last proved with its certificate who it is

	spent bool // a connection of TLS 1.3 has resumed it
}

// Sessions holds the newest session with the peer. It is safe for concurrent use; its fields are
// set before the first call.
type Sessions struct {
	Load func() Session   // asked once, by the first connection; nil: there is no session yet
	Now  func() time.Time // default time.Now

	mu     sync.Mutex // guards the fields below
	loaded bool
	failed bool    // a session has failed
	newest Session // without TLS: none
}

// Newest returns the newest session for use by a later process. Its TLS is nil if there is none. A
// session of TLS 1.3 is for one connection (RFC 8446 section C.4): here, those that begin together
// share one until the peer gives another, but a spent one is not for later.
func (s *Sessions) Newest() Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest.spent {
		return Session{}
	}
	return s.newest
}

func (s *Sessions) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// fail gives up all sessions, those to come as well. A peer that fails with one session may fail
// with each of them: a new ticket says nothing of how the peer takes it.
func (s *Sessions) fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed, s.newest = true, Session{}
}

// resumption is the part of one connection in the sessions, and its [tls.ClientSessionCache].
type resumption struct {
	sessions *Sessions
	offered  *tls.ClientSessionState // nil: none
	proven   time.Time
}

// begin chooses what a new connection offers. A clock that was set back makes a session old, too.
func (s *Sessions) begin(fresh bool) *resumption {
	r := &resumption{sessions: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if fresh || s.failed {
		return r
	}
	if !s.loaded && s.Load != nil {
		s.newest = s.Load()
	}
	s.loaded = true
	age := s.now().Sub(s.newest.Proven)
	if s.newest.TLS != nil && age >= 0 && age < maxUnproven {
		r.offered, r.proven = s.newest.TLS, s.newest.Proven
	}
	return r
}

// Get returns the session to offer.
func (r *resumption) Get(string) (*tls.ClientSessionState, bool) {
	return r.offered, r.offered != nil
}

// Put takes a session that the peer offers for later, or nil after one has failed.
func (r *resumption) Put(_ string, session *tls.ClientSessionState) {
	s := r.sessions
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.failed {
		s.newest = Session{TLS: session, Proven: r.proven}
	}
}

// verified is told how the handshake went, before any Put of a new session.
func (r *resumption) verified(state tls.ConnectionState) error {
	s := r.sessions
	s.mu.Lock()
	defer s.mu.Unlock()
	if !state.DidResume {
		r.proven = s.now()
	}
	if r.offered != nil && r.offered == s.newest.TLS {
		switch {
		case !state.DidResume:
			s.newest = Session{} // the peer does not take it
		case state.Version >= tls.VersionTLS13:
			s.newest.spent = true
		}
	}
	return nil
}

// configFor returns the configuration of one connection that takes part in the sessions.
func (r *resumption) configFor(shared *tls.Config) *tls.Config {
	config := shared.Clone()
	config.ClientSessionCache = r
	config.VerifyConnection = r.verified
	return config
}
