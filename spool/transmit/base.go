package transmit

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"iter"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// Base is what a transmitter of another protocol has in common with [Transmitter]: the settings
// that both read alike, connecting, and the words for what goes wrong.
type Base struct {
	Token       string      // the content of Config.TokenFile; "" is none
	TLS         *tls.Config // without ServerName
	ContentType string

	t       Transmitter
	headers []header
	all     template // every text that names of a request can stand in
}

// NewBase reads the timeouts, ContentType, Headers, TokenFile and certificates of cfg, and the
// files that it names. display is the URL as errors show it. Names of a request may stand in text
// and in the headers. The error joins every problem found.
func NewBase(cfg Config, display string, text Text) (*Base, error) {
	def := DefaultConfig()
	b := &Base{ContentType: cmp.Or(cfg.ContentType, def.ContentType)}
	b.t.target.display = display
	b.t.target.secure = true // what is said of plain HTTP does not apply
	b.t.connectTimeout = cmp.Or(cfg.ConnectTimeout, def.ConnectTimeout)
	b.t.timeout = cmp.Or(cfg.Timeout, def.Timeout)
	b.t.dialer, b.t.dial = newDialer(net.DefaultResolver, b.t.connectTimeout), cfg.Dial
	if cfg.Dial != nil {
		b.t.dialer = nil
	}
	errTimeouts := cmp.Or(CheckTimeout(b.t.connectTimeout), CheckTimeout(b.t.timeout))
	var errToken, errHeaders, errTLS error
	b.Token, errToken = readToken(cfg.TokenFile)
	b.headers, errHeaders = parseHeaders(cfg.Headers)
	b.TLS, errTLS = b.t.readTLS(cfg)
	if cfg.CertFile != "" {
		errTLS = errors.Join(errTLS, addKeyPair(b.TLS, cfg))
	}
	b.t.client.TLS = b.TLS
	b.t.secrets.add(b.Token)
	b.all = text.template
	for _, h := range b.headers {
		if strings.EqualFold(h.name, "Content-Type") {
			b.ContentType = h.value.String()
			continue
		}
		b.t.secrets.addTemplate(h.value)
		b.all = concat(b.all, h.value)
	}
	return b, errors.Join(errTimeouts, errToken, errHeaders, errTLS, CheckContentType(b.ContentType))
}

// AddSecrets takes texts that no error may show.
func (b *Base) AddSecrets(texts ...string) { b.t.secrets.add(texts...) }

// Check refuses a request that lacks a name, or whose key or content type a header cannot carry.
func (b *Base) Check(r Request) error { return r.check(b.all) }

// Headers returns the configured headers of a request, but for Content-Type.
func (b *Base) Headers(r Request) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, h := range b.headers {
			if !strings.EqualFold(h.name, "Content-Type") && !yield(h.name, string(h.value.append(nil, r))) {
				return
			}
		}
	}
}

// DialContext connects as [Transmitter.Send] does, within the connect timeout.
func (b *Base) DialContext(ctx context.Context, host, port string) (net.Conn, error) {
	return b.t.dialTCP(ctx, host, port)
}

// ReadSystemRoots is [Transmitter.ReadSystemRoots].
func (b *Base) ReadSystemRoots() { b.t.ReadSystemRoots() }

// CertificateEnd is [Transmitter.CertificateEnd].
func (b *Base) CertificateEnd() time.Time { return b.t.CertificateEnd() }

// Failed is the verdict of a request that got no answer.
func (b *Base) Failed(ctx context.Context, at h1.Stage, err error) Verdict {
	return b.t.failed(ctx, &h1.Error{Stage: at, Err: err})
}

// Error makes an error of a sentence in which others had a part.
func (b *Base) Error(cause Cause, status int, err error, sentence string) *Error {
	e := b.t.newError(cause, err, sentence)
	e.Status = status
	return e
}

// Root is the text of an error without addresses of this machine and names of system calls, which
// would make the same cause look like several.
func Root(err error) string { return root(err) }

// Excerpt returns the beginning of an answer for a [Verdict], without secrets.
func (b *Base) Excerpt(answer []byte) []byte {
	return b.t.cutExcerpt(answer[:min(len(answer), maxExcerpt)])
}

// Text is a text with places for the names of a request: {key}, {host} and {name}.
type Text struct{ template }

// ParseText refuses another word in braces.
func ParseText(text string) (Text, error) {
	t, err := parseTemplate(text)
	return Text{t}, err
}

// Uses reports whether a name stands in t.
func (t Text) Uses(name string) bool { return t.uses(name) }

// With returns the text with what replace makes of the names of r.
func (t Text) With(r Request, replace func(string) string) string {
	var b strings.Builder
	for _, p := range t.template {
		b.WriteString(p.text)
		if p.name != "" {
			b.WriteString(replace(r.named(p.name)))
		}
	}
	return b.String()
}

// PercentEncode encodes a name as it stands in URLs and headers.
func PercentEncode(name string) string { return string(appendEncoded(nil, name)) }

// ParseServer takes a server's URL apart, which has neither path nor query. Its errors quote
// nothing of the URL.
func ParseServer(raw, defaultPort string) (host string, port uint16, user *url.Userinfo, err error) {
	u, err := parseURL(raw)
	switch {
	case errors.Is(err, errNotURL):
		return "", 0, nil, errors.New("cannot be parsed; in a user or password, write special characters as %2F")
	case err != nil:
		return "", 0, nil, err
	}
	host, text, err := endpoint(u, defaultPort)
	if err != nil {
		return "", 0, nil, err
	}
	n, _ := strconv.ParseUint(text, 10, 16) // a number, as endpoint found
	return host, uint16(n), u.User, nil
}
