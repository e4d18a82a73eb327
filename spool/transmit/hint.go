package transmit

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// explain fills in what an answer that delivered nothing says.
func (t *Transmitter) explain(v *Verdict, a *answer, excerpt []byte, partial bool) {
	if len(excerpt) > 0 {
		shown := t.secrets.cut(string(excerpt), true)
		v.Excerpt = []byte(shown[:min(len(shown), maxExcerpt)])
	}
	if a.status == 429 || a.status == 503 {
		v.RetryAfter = retryAfter(a.retryAfter, a.date, t.now())
	}
	reason := shortened(t.secrets.cut(a.reason, false), 80)
	sentence := strings.TrimSpace(fmt.Sprintf("answered %d %s", a.status, reason))
	if partial {
		sentence += " before it had read the whole request"
	}
	hint := t.statusHint(a, v.Excerpt)
	if hint == speaksTLS && v.Action == Rejected {
		v.Action = Kept // it is the URL that is wrong, and no payload's fault
	}
	v.Err = t.errorf(nil, hint, "%s", sentence)
}

// statusHint is what to do about an answer; "" where nothing can be said in general.
func (t *Transmitter) statusHint(a *answer, excerpt []byte) string {
	switch a.status {
	case 401, 403:
		return "the listener wants other credentials: check --token-file"
	case 404, 405:
		return "nothing takes payloads there: check --url"
	case 407:
		return "the proxy wants credentials: put them into its URL in the environment"
	case 415:
		if t.compressor != nil {
			return "the listener may not read " + t.compressor.name + ": try without --compress"
		}
	case 400:
		for _, told := range [...]string{"HTTP request to an HTTPS server", "plain HTTP"} { // by Go; by nginx and Apache
			if !t.target.secure && bytes.Contains(excerpt, []byte(told)) {
				return speaksTLS
			}
		}
	}
	if a.status >= 300 && a.status < 400 && a.location != "" {
		return "moved to " + shortened(t.secrets.cut(bareLocation(a.location), false), 200) + ": redirects are not followed, check --url"
	}
	return ""
}

// bareLocation leaves out of a Location what may hold secrets: user info, query, fragment.
func bareLocation(location string) string {
	if u, err := url.Parse(location); err == nil {
		u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
		return u.String()
	}
	location, _, _ = strings.Cut(location, "?")
	location, _, _ = strings.Cut(location, "#")
	return location[strings.LastIndexByte(location, '@')+1:]
}

const speaksTLS = "the listener speaks TLS: write https:// in --url"

// hint is what to do about a request without an answer.
func (t *Transmitter) hint(at stage, err error) string {
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var refusal *proxyRefusal
	switch {
	case errors.As(err, &refusal):
		if refusal.status == 407 {
			return "put its credentials into the proxy's URL in the environment"
		}
		return "check https_proxy and no_proxy in the environment"
	case t.proxy != nil && (at == connecting || at == tunnelling):
		return "check the proxy's URL in the environment"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "check the name in --url"
	case errors.As(err, &dns):
		return "check this machine's name servers"
	case errors.As(err, &unknown):
		return "its certificate was signed by an authority that is not known here: name the authority's with --ca-file"
	case errors.As(err, &name):
		return "its certificate is for another name: write that name in --url"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the listener's certificate, or set this machine's clock"
	case errors.As(err, &record) && strings.HasPrefix(string(record.RecordHeader[:]), "HTTP/"):
		return "the listener speaks plain HTTP: write http:// in --url"
	case errors.Is(err, errIsTLS):
		return speaksTLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: start the listener, or check --url"
	case isTimeout(err) && at == connecting:
		return "the host is down or a firewall drops the packets: check --url, or raise --connect-timeout"
	case isTimeout(err):
		return "the listener is slow or stuck: look at it, or raise --timeout"
	}
	return alertHint(err)
}

// alertHint reads the TLS alerts with which a listener says what it misses. crypto/tls offers them as text only.
func alertHint(err error) string {
	text := err.Error()
	for _, a := range alerts {
		if strings.Contains(text, a.text) {
			return a.hint
		}
	}
	return ""
}

var alerts = [...]struct{ text, hint string }{
	{"tls: protocol version not supported", oldTLS},
	{"tls: server selected unsupported protocol version", oldTLS},
	{"tls: certificate required", wantsCertificate},
	{"tls: bad certificate", wantsCertificate},
	{"tls: handshake failure", noCommonTLS},
	{"tls: unknown certificate authority", "the listener does not know who signed the client certificate: check --cert-file"},
	{"tls: no application protocol", "the listener does not speak HTTP/1.1 there: check --url"},
}

const (
	oldTLS           = "the listener speaks no TLS newer than 1.1: 1.2 is the least that is accepted"
	noCommonTLS      = "the two sides have no TLS settings in common, or it wants a client certificate: check --cert-file"
	wantsCertificate = "the listener wants a client certificate: check --cert-file and --key-file"
)

// ownHint is what to do about a resource that ran out here.
func ownHint(err error) string {
	if errors.Is(err, syscall.EMFILE) || strings.HasSuffix(err.Error(), syscall.EMFILE.Error()) {
		return "raise the limit of open files (ulimit -n, LimitNOFILE=)"
	}
	return "this machine ran out of a resource; the listener is not to blame"
}
