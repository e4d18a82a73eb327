package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// Config says where and how items are published. A zero field stands for its default.
//
// {key}, {host} and {name} in the subject and in the values of Headers stand for the fields of
// [transmit.Request]. They are percent-encoded there, in the subject also their dots.
type Config struct {
	URL            string        // nats://HOST:PORT,HOST:PORT/SUBJECT, or tls, ws or wss; USER:PASSWORD@ or TOKEN@ may stand first
	ConnectTimeout time.Duration // default 2s: the connection to one server, until it takes messages
	Timeout        time.Duration // default 5s: the whole of a Send
	ClientName     string        // default "spoolfwd"; servers show it
	ContentType    string        // default "application/json"
	Headers        []string      // "Name: value", or "@FILE" with one of them per line
	TokenFile      string        // holds what may stand before the @ in URL: TOKEN or USER:PASSWORD; read by New
	CredsFile      string        // JWT and seed of a user, as nsc writes them, or the seed alone; read by New
	CAFile         string        // PEM; the only authorities trusted; default the system's
	CertFile       string        // PEM; client certificate and its chain; default none
	KeyFile        string        // PEM; default CertFile

	// Dial makes TCP connections; by default package transmit does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Transmitter publishes items into one stream. It is safe for concurrent use.
type Transmitter struct {
	target    stream.Target
	base      *transmit.Base
	options   nats.Options // for every connection, but for its server
	anonymous bool         // nothing says who we are

	connectTimeout time.Duration
	timeout        time.Duration

	connecting chan struct{} // full while a connection is made
	mu         sync.Mutex    // guards the field below
	link       *link         // for the next request; nil: there is none
}

// maxSecretFile bounds a credentials file.
const maxSecretFile = 64 << 10

// New checks cfg, reads the files it names and opens no connection. The error joins every problem
// found; it holds no secret.
func New(cfg Config) (*Transmitter, error) {
	def := transmit.DefaultConfig()
	t := &Transmitter{
		connectTimeout: cmp.Or(cfg.ConnectTimeout, def.ConnectTimeout),
		timeout:        cmp.Or(cfg.Timeout, def.Timeout),
		connecting:     make(chan struct{}, 1),
	}
	var errURL error
	if t.target, errURL = stream.Parse(cfg.URL); errURL != nil {
		errURL = fmt.Errorf("url: %w", errURL)
	}
	base, errBase := transmit.NewBase(transmit.Config{
		ConnectTimeout: t.connectTimeout, Timeout: t.timeout, ContentType: cfg.ContentType, Headers: cfg.Headers,
		TokenFile: cfg.TokenFile, CAFile: cfg.CAFile, CertFile: cfg.CertFile, KeyFile: cfg.KeyFile, Dial: cfg.Dial,
	}, t.target.String(), t.target.Subject)
	t.base = base
	if err := errors.Join(errURL, errBase, t.setOptions(cfg)); err != nil {
		return nil, err
	}
	for name := range base.Headers(transmit.Request{}) {
		switch {
		case strings.EqualFold(name, nats.MsgIdHdr):
			return nil, fmt.Errorf("%s cannot be set: every item has its own", nats.MsgIdHdr)
		case strings.EqualFold(name, "Nats-Rollup"):
			return nil, errors.New("Nats-Rollup cannot be set: each item would delete those before it")
		}
	}
	return t, nil
}

// setOptions settles what every connection has in common, and who we are.
func (t *Transmitter) setOptions(cfg Config) error {
	o := nats.GetDefaultOptions()
	o.AllowReconnect, o.ReconnectBufSize, o.IgnoreDiscoveredServers = false, -1, true
	o.Name, o.Timeout, o.FlusherTimeout = cmp.Or(cfg.ClientName, "spoolfwd"), t.connectTimeout, t.timeout
	isSecure := t.target.Scheme == "tls" || t.target.Scheme == "wss"
	switch {
	case isSecure || cfg.CAFile != "" || cfg.CertFile != "":
		o.Secure, o.TLSConfig = true, t.base.TLS
	case t.target.Scheme == "nats": // the server may want TLS
		o.TLSConfig = t.base.TLS
	}
	given := 0
	if t.target.User != nil {
		given++
		o.User = t.target.User.Username()
		var hasPassword bool
		if o.Password, hasPassword = t.target.User.Password(); !hasPassword {
			o.Token, o.User = o.User, ""
		}
	}
	if t.base.Token != "" {
		given++
		var hasPassword bool
		if o.User, o.Password, hasPassword = strings.Cut(t.base.Token, ":"); !hasPassword {
			o.Token, o.User = t.base.Token, ""
		}
	}
	if cfg.CredsFile != "" {
		given++
		if err := t.readCreds(cfg.CredsFile, &o); err != nil {
			return fmt.Errorf("credentials file: %w", err)
		}
	}
	if given > 1 {
		return errors.New("there are several of a user in the URL, a token file and a credentials file; give one")
	}
	t.base.AddSecrets(o.Token, o.Password)
	t.anonymous = given == 0 && cfg.CertFile == ""
	t.options = o
	return nil
}

// readCreds reads a user's JWT and seed, or a seed alone for a server that knows the user's public
// key, and tries them once.
func (t *Transmitter) readCreds(file string, o *nats.Options) error {
	text, err := transmit.ReadSmall(file, maxSecretFile)
	if err != nil {
		return err
	}
	if err := nats.UserCredentialBytes(text)(o); err != nil {
		return err
	}
	user, err := nkeys.ParseDecoratedUserNKey(text)
	if err != nil {
		return fmt.Errorf("%s holds no seed of a user", file)
	}
	defer user.Wipe()
	if !strings.Contains(string(text), "JWT") {
		o.UserJWT = nil
		o.Nkey, err = user.PublicKey()
	} else if jwt, _ := o.UserJWT(); strings.Count(jwt, ".") != 2 || strings.ContainsAny(jwt, " \n") {
		err = fmt.Errorf("%s holds no JWT between its BEGIN and END", file)
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		t.base.AddSecrets(strings.TrimSpace(line))
	}
	return nil
}

// Target returns where items go.
func (t *Transmitter) Target() stream.Target { return t.target }

// URL returns the servers and the subject for display.
func (t *Transmitter) URL() string { return t.target.String() }

// ReadSystemRoots reads the system's certificate authorities now, if there are no others, for a
// process that may have other rights when it connects.
func (t *Transmitter) ReadSystemRoots() {
	if t.options.TLSConfig != nil && t.options.Secure {
		t.base.ReadSystemRoots()
	}
}

// Close ends the connection. Requests in flight get no answer any more.
func (t *Transmitter) Close() {
	t.mu.Lock()
	l := t.link
	t.link = nil
	t.mu.Unlock()
	if l != nil {
		l.close()
	}
}
