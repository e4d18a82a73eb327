package transmit

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// A TLS session outlives the process in a [SessionStore], so that a run a minute is not a whole
// handshake a minute at the listener. What is stored is worth as much as the handshake that it
// saves. Who reads it can resume the session. Who could forge it would pass for the listener
// without a certificate, and be sent the token. So it is sealed (AES-GCM) with a key made from all
// that a connection depends on and all secrets that it carries: only somebody who has those already
// can read or forge it. The same key makes a changed CA file, client certificate, token, URL or
// version of this program the end of a session, and tells damage from a session.

// SessionStore keeps the TLS session from one process to the next.
type SessionStore interface {
	Load() ([]byte, error)    // no bytes: there is none
	Save(sealed []byte) error // in the place of the last one; no bytes: there is none any more
}

// MaxSealedSession is the most that a SessionStore is asked to keep. A session with one certificate
// of RSA 2048 takes 1.5 KiB.
const MaxSealedSession = 64 << 10

// storedSession is what is sealed. The encodings of State and Ticket are those of crypto/tls.
type storedSession struct {
	Proven time.Time `json:"proven"`
	Ticket []byte    `json:"ticket"`
	State  []byte    `json:"state"`
}

// ResumeFrom lets the first connection resume the TLS session that an earlier process has kept in
// store. It is called before the first Send.
func (t *Transmitter) ResumeFrom(store SessionStore) {
	t.sessions = store
	t.client.Sessions.Load = func() h1.Session {
		t.resumed = h1.Session{}
		if sealed, err := store.Load(); err == nil && len(sealed) > 0 {
			// A session that cannot be used is not a fault: the listener gets a whole handshake.
			t.resumed, _ = t.unseal(sealed)
		}
		return t.resumed
	}
}

// KeepSession saves the newest TLS session for the next process. It does nothing if that is the one
// which is saved already, as after a run without a connection. It is called after the last Send.
func (t *Transmitter) KeepSession() error {
	newest := t.client.Sessions.Newest()
	if t.sessions == nil || newest.TLS == t.resumed.TLS {
		return nil
	}
	var sealed []byte
	if newest.TLS != nil {
		var err error
		if sealed, err = t.seal(newest); err != nil {
			return fmt.Errorf("TLS session: %w", err)
		}
	}
	if len(sealed) > MaxSealedSession {
		sealed = nil
	}
	t.resumed = newest
	return t.sessions.Save(sealed)
}

func (t *Transmitter) seal(s h1.Session) ([]byte, error) {
	ticket, state, err := s.TLS.ResumptionState()
	if err != nil {
		return nil, err
	}
	encoded, err := state.Bytes()
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(storedSession{s.Proven, ticket, encoded})
	if err != nil {
		return nil, err
	}
	aead, err := t.sealing()
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, nil), nil
}

func (t *Transmitter) unseal(sealed []byte) (h1.Session, error) {
	aead, err := t.sealing()
	if err != nil {
		return h1.Session{}, err
	}
	plain, err := aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return h1.Session{}, err
	}
	var stored storedSession
	if err := json.Unmarshal(plain, &stored); err != nil {
		return h1.Session{}, err
	}
	state, err := tls.ParseSessionState(stored.State)
	if err != nil {
		return h1.Session{}, err
	}
	session, err := tls.NewResumptionState(stored.Ticket, state)
	return h1.Session{TLS: session, Proven: stored.Proven}, err
}

// sealing returns the cipher for sessions with this listener under this configuration. The head
// holds a token that does not change and the other headers.
func (t *Transmitter) sealing() (cipher.AEAD, error) {
	if t.client.TLS == nil {
		return nil, errors.New("the listener does not speak TLS")
	}
	parts := [][]byte{
		[]byte("spoolfwd TLS session, " + runtime.Version()), // crypto/tls may change its encoding
		[]byte(t.target.address()), t.authorities, []byte(t.head.String()), []byte(t.command.present()),
	}
	for _, pair := range t.client.TLS.Certificates {
		key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
		if err != nil {
			return nil, err
		}
		parts = append(append(parts, pair.Certificate...), key)
	}
	hash := sha256.New()
	for _, part := range parts {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	block, err := aes.NewCipher(hash.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
