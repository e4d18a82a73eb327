package transmit

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// sessionsInMemory is a SessionStore.
type sessionsInMemory struct {
	sealed []byte
	saves  int
}

func (s *sessionsInMemory) Load() ([]byte, error) { return s.sealed, nil }

func (s *sessionsInMemory) Save(sealed []byte) error {
	s.sealed = sealed
	s.saves++
	return nil
}

// resuming is a TLS listener that answers 200 and tells of each connection whether it resumed a
// session.
type resuming struct {
	*rawListener
	mu      sync.Mutex
	resumed []bool
}

func listenResuming(t *testing.T, config *tls.Config) *resuming {
	t.Helper()
	r := new(resuming)
	r.rawListener = listen(t, config, func(c net.Conn, number int) {
		r.note(c)
		answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(c, number)
	})
	return r
}

// note remembers whether c has resumed a session, and returns it.
func (r *resuming) note(c net.Conn) bool {
	resumed := c.(*tls.Conn).ConnectionState().DidResume
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumed = append(r.resumed, resumed)
	return resumed
}

// mustSee checks which connections so far have resumed a session.
func (r *resuming) mustSee(t *testing.T, want ...bool) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.resumed) != len(want) {
		t.Fatalf("%d connections were made, want %d", len(r.resumed), len(want))
	}
	for i, resumed := range r.resumed {
		if resumed != want[i] {
			t.Errorf("connection %d resumed a session: %v, want %v", i+1, resumed, want[i])
		}
	}
}

// runOnce does what a process does: it sends one item and keeps the session.
func runOnce(t *testing.T, store SessionStore, cfg Config) Verdict {
	t.Helper()
	tr := newTransmitter(t, cfg)
	tr.ResumeFrom(store)
	v := send(tr, "{}")
	if err := tr.KeepSession(); err != nil {
		t.Errorf("KeepSession: %v", err)
	}
	return v
}

func TestTheNextProcessResumesTheTLSSession(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "known")
	pair, _ := ca.issue(t, tomorrow(), "127.0.0.1")
	_, clientPEM := ca.issue(t, tomorrow(), "client.test")
	client := writeFile(t, "client.pem", clientPEM)
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	for _, c := range []struct {
		name    string
		version uint16
		asks    bool
	}{
		{"TLS 1.3", tls.VersionTLS13, false},
		{"TLS 1.2", tls.VersionTLS12, false},
		{"TLS 1.3 and a client certificate", tls.VersionTLS13, true},
		{"TLS 1.2 and a client certificate", tls.VersionTLS12, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: c.version}
			cfg := Config{CAFile: ca.file}
			if c.asks {
				config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, clients
				cfg.CertFile = client
			}
			l := listenResuming(t, config)
			cfg.URL = "https://" + l.address
			store := new(sessionsInMemory)
			for range 3 {
				mustHold(t, runOnce(t, store, cfg), Delivered, 200, "")
			}
			l.mustSee(t, false, true, true)
		})
	}
}

// A process that makes no connection has no reason to write.
func TestASessionIsSavedOnlyWhenThereIsANewOne(t *testing.T) {
	t.Parallel()
	ca, config := tlsFor(t, true)
	l := listenResuming(t, config)
	store := new(sessionsInMemory)
	cfg := Config{URL: "https://" + l.address, CAFile: ca}
	runOnce(t, store, cfg)
	kept := store.sealed
	idle := newTransmitter(t, cfg)
	idle.ResumeFrom(store)
	if err := idle.KeepSession(); err != nil || store.saves != 1 || !bytes.Equal(store.sealed, kept) {
		t.Errorf("after a process without a connection there were %d saves (%v), want 1", store.saves, err)
	}
	runOnce(t, store, cfg)
	if store.saves != 2 || bytes.Equal(store.sealed, kept) {
		t.Errorf("a process with a connection has saved %d times in all, want 2, and a new session", store.saves)
	}
	plain, _ := server(t, func(http.ResponseWriter, *http.Request) {})
	runOnce(t, store, Config{URL: plain.URL})
	if store.saves != 2 {
		t.Error("a process without TLS saves a session")
	}
}

// A session does not bypass anything that a connection depends on: what has changed since it began
// ends it, and the listener has to prove again who it is.
func TestASessionEndsWithWhatItDependsOn(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t, "known"), newAuthority(t, "other")
	pair, _ := ca.issue(t, tomorrow(), "127.0.0.1", "localhost")
	_, first := ca.issue(t, tomorrow(), "client.test")
	_, second := ca.issue(t, tomorrow(), "client.test")
	firstFile, secondFile := writeFile(t, "first.pem", first), writeFile(t, "second.pem", second)
	token, otherToken := writeFile(t, "token", "aaaaaaaaaaaa"), writeFile(t, "token", "bbbbbbbbbbbb")
	both := writeFile(t, "both.pem", ca.pem()+other.pem())

	l := listenResuming(t, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert})
	_, port, _ := net.SplitHostPort(l.address)
	base := Config{URL: "https://" + l.address + "/a", CAFile: ca.file, CertFile: firstFile, TokenFile: token, Headers: []string{"Host: listener.test"}}
	seen := []bool{}
	for _, c := range []struct {
		name   string
		change func(*Config)
		action Action
	}{
		{"another CA file that knows the listener", func(c *Config) { c.CAFile = both }, Delivered},
		{"another CA file that does not know the listener", func(c *Config) { c.CAFile = other.file }, Kept},
		{"the system's authorities", func(c *Config) { c.CAFile = "" }, Kept},
		{"another client certificate", func(c *Config) { c.CertFile = secondFile }, Delivered},
		{"no client certificate", func(c *Config) { c.CertFile = "" }, Delivered},
		{"another token", func(c *Config) { c.TokenFile = otherToken }, Delivered},
		{"another header", func(c *Config) { c.Headers = append(c.Headers, "X-Key: secret") }, Delivered},
		{"another name under the same Host", func(c *Config) { c.URL = "https://localhost:" + port + "/a" }, Delivered},
		{"another version of this program", func(c *Config) { c.UserAgent = "spoolfwd/2" }, Delivered},
	} {
		store := new(sessionsInMemory)
		mustHold(t, runOnce(t, store, base), Delivered, 200, "")
		changed := base
		c.change(&changed)
		if v := runOnce(t, store, changed); v.Action != c.action {
			t.Errorf("with %s the verdict is %v, want %v (%v)", c.name, v.Action, c.action, v.Err)
		}
		seen = append(seen, false)
		if c.action == Delivered {
			seen = append(seen, false)
		}
	}
	l.mustSee(t, seen...)
}

func TestADamagedSessionIsAWholeHandshake(t *testing.T) {
	t.Parallel()
	ca, config := tlsFor(t, true)
	l := listenResuming(t, config)
	cfg := Config{URL: "https://" + l.address, CAFile: ca}
	for name, damage := range map[string]func(sealed []byte) []byte{
		"one bit wrong": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut off":       func(b []byte) []byte { return b[:len(b)-1] },
		"very short":    func([]byte) []byte { return []byte("x") },
		"not sealed":    func([]byte) []byte { return []byte(`{"proven":"2026-01-01T00:00:00Z"}`) },
	} {
		l.resumed = nil
		store := new(sessionsInMemory)
		runOnce(t, store, cfg)
		store.sealed = damage(bytes.Clone(store.sealed))
		if v := runOnce(t, store, cfg); v.Action != Delivered {
			t.Errorf("with a session that is %s the verdict is %v: %v", name, v.Action, v.Err)
		}
		runOnce(t, store, cfg)
		l.mustSee(t, false, false, true)
	}
}

// Tickets come with each resumption. Without a limit the listener would never show its certificate
// again.
func TestTheListenerProvesItselfOnceADay(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "known")
	pair, _ := ca.issue(t, time.Now().Add(48*time.Hour), "127.0.0.1")
	l := listenResuming(t, &tls.Config{Certificates: []tls.Certificate{pair}})
	store := new(sessionsInMemory)
	start := time.Now()
	for _, after := range []time.Duration{0, 12 * time.Hour, 23 * time.Hour, 25 * time.Hour, 26 * time.Hour, 20 * time.Hour} {
		now := start.Add(after)
		runOnce(t, store, Config{URL: "https://" + l.address, CAFile: ca.file, Now: func() time.Time { return now }})
	}
	// The clock was set back before the last one.
	l.mustSee(t, false, true, true, false, true, false)
}

// An entry in the file system must not grow without bound because of a listener.
func TestAHugeTicketIsNotKept(t *testing.T) {
	t.Parallel()
	ca, config := tlsFor(t, true)
	config.WrapSession = func(tls.ConnectionState, *tls.SessionState) ([]byte, error) {
		return make([]byte, 60_000), nil
	}
	l := listenResuming(t, config)
	store := new(sessionsInMemory)
	mustHold(t, runOnce(t, store, Config{URL: "https://" + l.address, CAFile: ca}), Delivered, 200, "")
	if len(store.sealed) != 0 {
		t.Errorf("a session of %d bytes is kept", len(store.sealed))
	}
}

func TestTheEndOfTheListenersCertificateEndsASession(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "known")
	soon, _ := ca.issue(t, time.Now().Add(time.Hour), "127.0.0.1")
	l := listenResuming(t, &tls.Config{Certificates: []tls.Certificate{soon}})
	store := new(sessionsInMemory)
	cfg := Config{URL: "https://" + l.address, CAFile: ca.file}
	mustHold(t, runOnce(t, store, cfg), Delivered, 200, "")
	tr := newTransmitter(t, cfg)
	tr.ResumeFrom(store)
	tr.client.TLS.Time = func() time.Time { return time.Now().Add(2 * time.Hour) }
	mustHold(t, send(tr, "{}"), Kept, 0, "certificate")
	l.mustSee(t, false)
}
