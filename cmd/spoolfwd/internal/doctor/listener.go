package doctor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// certificateWarning is how long before its end a certificate is mentioned.
const certificateWarning = 14 * 24 * time.Hour

// listener looks at the settings for the listener and then does all that a request needs, but not
// the request.
func (d *doctor) listener(ctx context.Context) {
	t, err := d.Transmitter()
	if err != nil {
		d.fail("listener", "", err)
		return
	}
	defer t.Close()
	if u, err := url.Parse(d.Listener.URL); err == nil {
		d.token(u)
	}
	d.clientCertificate()
	found := t.Probe(ctx)
	for _, step := range found.Steps {
		if step.Err != nil {
			d.fail(step.Name, "", exit.With(exit.Left, step.Err))
		} else {
			d.ok(step.Name, "%s", step.Detail)
		}
	}
	if !found.NotAfter.IsZero() {
		d.expiry("listener's certificate", found.NotAfter)
	}
}

// token warns about a token that others can read or that travels unencrypted.
func (d *doctor) token(u *url.URL) {
	file := d.Listener.TokenFile
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

// clientCertificate judges --cert-file. The file can be read, otherwise there would be no
// transmitter. The handshake does not judge it: a listener may look at the end of a client's
// certificate only when it gets a request.
func (d *doctor) clientCertificate() {
	if d.Listener.CertFile == "" {
		return
	}
	if pair, err := tls.LoadX509KeyPair(d.Listener.CertFile, d.Listener.KeyFile); err == nil && pair.Leaf != nil {
		d.expiry("client certificate", pair.Leaf.NotAfter)
	}
}

// expiry judges when a certificate ends. One that is valid for long gets no line.
func (d *doctor) expiry(name string, notAfter time.Time) {
	left := notAfter.Sub(d.Now())
	until := notAfter.UTC().Format(time.DateOnly)
	switch {
	case left < 0:
		d.fail("tls", "renew it", exit.With(exit.Left, fmt.Errorf("the %s ended on %s", name, until)))
	case left < certificateWarning:
		d.warn("tls", "renew it", "the %s ends on %s, in %s", name, until, console.Duration(left))
	}
}
