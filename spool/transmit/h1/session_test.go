package h1

import (
	"crypto/tls"
	"testing"
	"time"
)

// handshake does what crypto/tls does in one handshake, and returns the session that it offered.
func handshake(s *Sessions, state tls.ConnectionState, tickets ...*tls.ClientSessionState) (offered *tls.ClientSessionState) {
	r := s.begin(false)
	offered, _ = r.Get("")
	_ = r.verified(state) // always nil
	for _, ticket := range tickets {
		r.Put("", ticket)
	}
	return offered
}

func TestWhatBecomesOfASessionDependsOnTheHandshake(t *testing.T) {
	old, fresh := new(tls.ClientSessionState), new(tls.ClientSessionState)
	for _, c := range []struct {
		name    string
		state   tls.ConnectionState
		tickets []*tls.ClientSessionState
		next    *tls.ClientSessionState // what the next connection of this process offers
		later   *tls.ClientSessionState // what a later process gets
	}{
		{"TLS 1.3 with a new ticket", tls.ConnectionState{Version: tls.VersionTLS13, DidResume: true}, []*tls.ClientSessionState{fresh}, fresh, fresh},
		{"TLS 1.3 without a new ticket", tls.ConnectionState{Version: tls.VersionTLS13, DidResume: true}, nil, old, nil},
		{"TLS 1.2 with a new ticket", tls.ConnectionState{Version: tls.VersionTLS12, DidResume: true}, []*tls.ClientSessionState{fresh}, fresh, fresh},
		{"TLS 1.2 without a new ticket", tls.ConnectionState{Version: tls.VersionTLS12, DidResume: true}, nil, old, old},
		{"a listener that does not know the session", tls.ConnectionState{Version: tls.VersionTLS13}, nil, nil, nil},
		{"a listener that gives two tickets", tls.ConnectionState{Version: tls.VersionTLS13}, []*tls.ClientSessionState{old, fresh}, fresh, fresh},
		{"a failure", tls.ConnectionState{Version: tls.VersionTLS13, DidResume: true}, []*tls.ClientSessionState{nil}, nil, nil},
	} {
		s := &Sessions{Load: func() Session { return Session{TLS: old, Proven: time.Now()} }}
		if offered := handshake(s, c.state, c.tickets...); offered != old {
			t.Errorf("%s: the first connection offers %p, want the session of the last process, %p", c.name, offered, old)
		}
		if later := s.Newest().TLS; later != c.later {
			t.Errorf("%s: a later process gets %p, want %p", c.name, later, c.later)
		}
		if next, _ := s.begin(false).Get(""); next != c.next {
			t.Errorf("%s: the next connection offers %p, want %p", c.name, next, c.next)
		}
	}
}

// A connection may get a ticket while another fails with the ticket of before.
func TestAfterAFailureNoSessionIsTakenOrGiven(t *testing.T) {
	s := &Sessions{Load: func() Session { return Session{TLS: new(tls.ClientSessionState), Proven: time.Now()} }}
	other := s.begin(false)
	s.fail()
	_ = other.verified(tls.ConnectionState{Version: tls.VersionTLS13}) // always nil
	other.Put("", new(tls.ClientSessionState))
	if next, _ := s.begin(false).Get(""); next != nil || s.Newest().TLS != nil {
		t.Errorf("the next connection offers %p and a later process gets %p, want none", next, s.Newest().TLS)
	}
}

// A whole handshake on one connection does not make a resumed one on another any younger.
func TestASessionIsAsOldAsTheProofBehindIt(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	proven := now.Add(-20 * time.Hour)
	s := &Sessions{
		Load: func() Session { return Session{TLS: new(tls.ClientSessionState), Proven: proven} },
		Now:  func() time.Time { return now },
	}
	resumed := s.begin(false)
	_ = resumed.verified(tls.ConnectionState{Version: tls.VersionTLS13, DidResume: true}) // always nil

	handshake(s, tls.ConnectionState{Version: tls.VersionTLS13}, new(tls.ClientSessionState))
	if got := s.Newest().Proven; !got.Equal(now) {
		t.Errorf("after a whole handshake the session counts from %v, want %v", got, now)
	}
	resumed.Put("", new(tls.ClientSessionState))
	if got := s.Newest().Proven; !got.Equal(proven) {
		t.Errorf("the ticket of a resumed connection counts from %v, want %v", got, proven)
	}
}
