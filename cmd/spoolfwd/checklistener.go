package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// certificateWarning is how long before its end a certificate is mentioned.
const certificateWarning = 14 * 24 * time.Hour

func ownerOf(info os.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

func deviceOf(info os.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev)
	}
	return 0
}

// clock compares the clock with the time this program's source was committed:
// a machine without a battery wakes up in 1970.
func (d *doctor) clock() {
	now := d.s.env.Now()
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return
	}
	for _, set := range info.Settings {
		if built, err := time.Parse(time.RFC3339, set.Value); set.Key == "vcs.time" && err == nil && now.Before(built.Add(-24*time.Hour)) {
			d.warn("clock", "set it; is a time service running?", "it says %s, before this program was made", now.Format(time.RFC3339))
			return
		}
	}
	d.ok("clock", "it says %s", now.Format(time.RFC3339))
}

// listener looks at the settings for the listener and then knocks.
func (d *doctor) listener(ctx context.Context) {
	const about = "listener"
	t, err := d.s.newTransmitter()
	if err != nil {
		d.fail(about, err)
		return
	}
	t.Close()
	u, err := url.Parse(d.s.cfg.URL)
	if err != nil {
		return // newTransmitter would have failed
	}
	d.secrets(u)
	address, viaProxy := addressOf(u), false
	if proxy := d.s.proxyFor(u); proxy != nil {
		d.ok(about, "requests go through the proxy %s", proxy.Host)
		address, viaProxy = addressOf(proxy), true
	}
	conn, err := d.knock(ctx, address)
	if err != nil {
		d.fail(about, fail(exitLeft, fmt.Errorf("cannot connect to %s: %w\nis it running, and is --url right?", address, err)))
		return
	}
	defer conn.Close()
	d.ok(about, "%s accepts connections", address)
	if u.Scheme == "https" && !viaProxy {
		d.certificate(ctx, conn, u.Hostname())
	}
}

// addressOf returns host and port of a listener or proxy.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// secrets warns about a token that others can read or that travels in the clear.
func (d *doctor) secrets(u *url.URL) {
	file := d.s.cfg.TokenFile
	if file == "" {
		return
	}
	d.ok("token", "%s can be read", file)
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o004 != 0 {
		d.warn("token", "chmod o-r it", "every user of this machine can read %s", file)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		d.warn("token", "use https", "the token is sent unencrypted to %s", u.Host)
	}
}

func (s *session) proxyFor(u *url.URL) *url.URL {
	both := func(upper, lower string) string {
		if v := s.env.getenv(upper); v != "" {
			return v
		}
		return s.env.getenv(lower)
	}
	c := httpproxy.Config{
		HTTPProxy:  both("HTTP_PROXY", "http_proxy"),
		HTTPSProxy: both("HTTPS_PROXY", "https_proxy"),
		NoProxy:    both("NO_PROXY", "no_proxy"),
	}
	proxy, _ := c.ProxyFunc()(u)
	return proxy
}

// knock connects and sends nothing.
func (d *doctor) knock(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.s.cfg.ConnectTimeout)
	defer cancel()
	dial := d.s.env.Dial
	if dial == nil {
		host, _, _ := net.SplitHostPort(address)
		if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
			return nil, err
		}
		dial = (&net.Dialer{}).DialContext
	}
	return dial(ctx, "tcp", address)
}

// certificate makes a TLS handshake and judges what the listener shows.
func (d *doctor) certificate(ctx context.Context, conn net.Conn, host string) {
	const about = "tls"
	ctx, cancel := context.WithTimeout(ctx, d.s.cfg.Timeout)
	defer cancel()
	cfg := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, Time: d.s.env.Now}
	if file := d.s.cfg.CAFile; file != "" {
		if pem, err := os.ReadFile(file); err == nil {
			cfg.RootCAs = x509.NewCertPool()
			cfg.RootCAs.AppendCertsFromPEM(pem)
		}
	}
	if d.s.cfg.CertFile != "" {
		if pair, err := tls.LoadX509KeyPair(d.s.cfg.CertFile, d.s.cfg.KeyFile); err == nil {
			cfg.Certificates = []tls.Certificate{pair}
			d.expiry("client certificate", pair.Leaf)
		}
	}
	c := tls.Client(conn, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		mend := "does the listener speak TLS 1.2 or later?"
		var unknown x509.UnknownAuthorityError
		var name x509.HostnameError
		switch {
		case errors.As(err, &unknown):
			mend = "name its authority with --ca-file"
		case errors.As(err, &name):
			mend = "the certificate is for another name; check --url"
		}
		d.fail(about, fail(exitLeft, fmt.Errorf("%w\n%s", err, mend)))
		return
	}
	state := c.ConnectionState()
	d.ok(about, "%s with %s", tls.VersionName(state.Version), host)
	d.expiry("certificate of "+host, state.PeerCertificates[0])
}

func (d *doctor) expiry(what string, cert *x509.Certificate) {
	if cert == nil {
		return
	}
	left := cert.NotAfter.Sub(d.s.env.Now())
	until := cert.NotAfter.Format(time.DateOnly)
	switch {
	case left < 0:
		d.fail("tls", fail(exitLeft, fmt.Errorf("the %s ended on %s\nrenew it", what, until)))
	case left < certificateWarning:
		d.warn("tls", "renew it", "the %s ends on %s, in %s", what, until, humanDuration(left))
	default:
		d.ok("tls", "the %s is valid until %s", what, until)
	}
}
