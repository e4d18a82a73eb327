package transmit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// Config says where and how items are sent. A zero field stands for its default.
//
// {key}, {host} and {name} in the path or query of URL, and in the values of Headers, stand for
// [Request.Key], [Request.Host] and [Request.Name]. They are percent-encoded there.
type Config struct {
	URL            string        // default http://localhost:8080/api/profiling; user info becomes basic authentication
	Method         string        // default "POST"; "PUT" needs {key} in URL
	ConnectTimeout time.Duration // default 2s: the TCP connection to one address
	Timeout        time.Duration // default 5s: the whole exchange, with lookup and connecting
	UserAgent      string        // default "spoolfwd"
	ContentType    string        // default "application/json"
	Headers        []string      // "Name: value", or "@FILE" with one of them per line
	UnixSocket     string        // connects to this Unix socket, whatever the URL's host is; default none
	Proxy          string        // a proxy's URL, or NoProxy; default the environment's
	TokenFile      string        // holds a bearer token, is read once by New; default none
	TokenCommand   string        // prints a bearer token, is asked by the first request; default none
	CAFile         string        // PEM; the only authorities trusted; default the system's
	CertFile       string        // PEM; client certificate and its chain; default none
	KeyFile        string        // PEM; default CertFile
	ExpectHeader   string        // "Name: value" without which an answer delivers nothing; default none
	OnStatus       []string      // exceptions from the verdicts: "404=reject", "4xx=keep", "409=delivered"
	MaxIdle        int           // default 64: idle connections kept; negative keeps none
	Compress       string        // default none; Gzip or Zstd as Content-Encoding

	// DisableKeepAlives makes a connection for every request. Only that helps where a second answer
	// arrives just after the first on a kept connection: HTTP/1.1 cannot tell it from the answer to
	// the next request. Default false.
	DisableKeepAlives bool

	// Resolver looks names up; by default Go's does. Its Dial reaches the name servers.
	Resolver *net.Resolver
	// Dial makes TCP connections to names and addresses, instead of all that is done here to get
	// past slow name servers and dead addresses. By default there is none.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Getenv names proxies; by default os.Getenv does.
	Getenv func(string) string
	// Now is the clock for a Retry-After date in an answer without a Date; by default time.Now.
	Now func() time.Time
}

// Transmitter sends items to one listener. It is safe for concurrent use.
type Transmitter struct {
	target         target
	socket         string       // "": the URL's host is connected to
	proxy          *proxyServer // nil: straight to the listener
	whyProxy       string       // why there is that proxy, or none; "": nothing names one
	method         string
	head           template // of a request, up to what its body decides
	contentType    string
	actions        actions
	compressor     *compressor // nil: as it stands
	secrets        secrets
	command        tokenCommand
	anonymous      bool // requests carry nothing that says who sends them
	client         h1.Client
	authorities    []byte       // the content of Config.CAFile
	sessions       SessionStore // nil: sessions end with this process
	resumed        h1.Session   // what sessions held; without TLS: nothing of use
	connectTimeout time.Duration
	timeout        time.Duration
	dialer         *dialer                                                              // nil if there is a dial
	dial           func(ctx context.Context, network, address string) (net.Conn, error) // the caller's own
	now            func() time.Time
}

// DefaultConfig returns the values that zero fields of a Config stand for.
func DefaultConfig() Config {
	return Config{
		URL:            "http://localhost:8080/api/profiling",
		ConnectTimeout: 2 * time.Second,
		Timeout:        5 * time.Second,
		Method:         "POST",
		UserAgent:      "spoolfwd",
		ContentType:    "application/json",
		MaxIdle:        64,
	}
}

// New checks cfg, reads the files it names and opens no connection. The error joins every problem
// found; it holds no secret and no part of a URL that may hold one.
func New(cfg Config) (*Transmitter, error) {
	def := DefaultConfig()
	cfg.URL = cmp.Or(cfg.URL, def.URL)
	cfg.UserAgent = cmp.Or(cfg.UserAgent, def.UserAgent)
	t := &Transmitter{
		method:         cmp.Or(cfg.Method, def.Method),
		contentType:    cmp.Or(cfg.ContentType, def.ContentType),
		connectTimeout: cmp.Or(cfg.ConnectTimeout, def.ConnectTimeout),
		timeout:        cmp.Or(cfg.Timeout, def.Timeout),
		dial:           cfg.Dial,
		now:            cfg.Now,
	}
	t.client.Dial = t.connect
	t.client.MaxIdle = max(cmp.Or(cfg.MaxIdle, def.MaxIdle), 0)
	if cfg.DisableKeepAlives {
		t.client.MaxIdle = 0
	}
	if t.dial == nil {
		t.dialer = newDialer(cmp.Or(cfg.Resolver, net.DefaultResolver), t.connectTimeout)
	}
	if t.now == nil {
		t.now = time.Now
	}
	t.client.Sessions.Now = t.now
	getenv := cfg.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}

	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	err := CheckTimeout(t.connectTimeout)
	if err != nil {
		note(fmt.Errorf("connect timeout: %w", err))
	}
	if err = CheckTimeout(t.timeout); err != nil {
		note(fmt.Errorf("timeout: %w", err))
	}
	t.compressor, err = newCompressor(cfg.Compress)
	note(err)
	t.actions, err = parseOnStatus(cfg.OnStatus, t.compressor != nil)
	note(err)
	token, err := readToken(cfg.TokenFile)
	note(err)
	t.command.patience = commandPatience
	if t.command.words, err = splitCommand(cfg.TokenCommand); err != nil {
		note(fmt.Errorf("token command: %w", err))
	}
	headers, err := parseHeaders(cfg.Headers)
	note(err)
	t.client.Expect, err = parseExpected(cfg.ExpectHeader)
	note(err)
	t.target, err = parseTarget(cfg.URL)
	if err != nil {
		err = fmt.Errorf("url: %w", err)
		// Proxy, TLS and Host follow from the URL: more problems with them would be noise.
		return nil, errors.Join(append(problems, err)...)
	}
	t.socket = cfg.UnixSocket
	note(CheckUnixSocket(t.socket))
	note(t.checkMethod())
	t.proxy, t.whyProxy, err = chooseProxy(cfg, t.target, getenv)
	note(err)
	if t.proxy.tunnels(t.target) {
		t.client.Tunnel = t.proxy.connectRequest(t.target)
	}
	note(t.setTLS(cfg))
	note(t.setHead(cfg, token, headers))
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return t, nil
}

// checkMethod refuses a PUT under a name that several items share.
func (t *Transmitter) checkMethod() error {
	switch {
	case t.method != "POST" && t.method != "PUT":
		return errors.New("the method is neither POST nor PUT")
	case t.method == "PUT" && !t.target.path.uses("key"):
		return errors.New("with PUT, the URL must hold {key}: an item would otherwise replace the one before it")
	}
	return nil
}

// NeedsName reports whether every request needs a [Request.Name].
func (t *Transmitter) NeedsName() bool { return t.head.uses("name") }

// URL returns the listener's URL for display: without user info, the query's text replaced by
// "...".
func (t *Transmitter) URL() string { return t.target.display }

// Timeout returns the time for a whole request and its answer, as configured.
func (t *Transmitter) Timeout() time.Duration { return t.timeout }

// Close closes the idle connections. Requests in flight end undisturbed, and their connections are
// not kept.
func (t *Transmitter) Close() { t.client.Close() }
