package doctor

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// certificateWarning is how long before its end a certificate is mentioned.
const certificateWarning = 14 * 24 * time.Hour

// listener looks at the settings for the listener and then does all that a request needs, but not
// the request.
func (d *doctor) listener(ctx context.Context) {
	made, err := d.Transmitter()
	if err != nil {
		d.fail("listener", "", err)
		return
	}
	defer made.Close()
	switch t := made.(type) {
	case *transmit.Transmitter:
		d.http(ctx, t)
	case publisher:
		d.nats(ctx, t)
	}
}

func (d *doctor) http(ctx context.Context, t *transmit.Transmitter) {
	if u, err := url.Parse(d.Listener.URL); err == nil {
		d.token(ctx, t, u)
	}
	if d.Offline {
		d.expiry("client certificate", t.CertificateEnd())
		return
	}
	found := t.Probe(ctx)
	for _, step := range found.Steps {
		if step.Err != nil {
			d.fail(step.Name, "", exit.With(exit.Left, step.Err))
		} else {
			d.ok(step.Name, "%s", step.Detail)
		}
	}
	d.expiry("listener's certificate", found.NotAfter)
	// The handshake does not judge the client's: a listener may look at its end only when it gets a
	// request.
	d.expiry("client certificate", t.CertificateEnd())
	if d.TestListener && found.Steps[len(found.Steps)-1].Err == nil {
		d.contract(ctx, t)
	}
}

// token warns about a token that others can read or that travels unencrypted.
func (d *doctor) token(ctx context.Context, t *transmit.Transmitter, u *url.URL) {
	file, command := d.Listener.TokenFile, d.Listener.TokenCommand
	if file == "" && command == "" {
		d.ok("token", "none is sent: there is no --token-file, no --token-command and no systemd credential spoolfwd.token")
		return
	}
	if d.Offline && command != "" {
		d.ok("token", "the token command is not run")
	} else if err := t.CheckToken(ctx); err != nil {
		d.fail("token", "", err)
	} else if command != "" {
		d.ok("token", "the token command gives one")
	} else {
		d.ok("token", "%s can be read", file)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		d.warn("token", "use https", "the token is sent unencrypted to %s", u.Host)
	}
}

// expiry judges when a certificate ends. One that is valid for long gets no line, and neither does
// one that there is not, whose end is zero.
func (d *doctor) expiry(name string, notAfter time.Time) {
	left := notAfter.Sub(d.Now())
	until := notAfter.UTC().Format(time.DateOnly)
	switch {
	case notAfter.IsZero():
	case left < 0:
		d.fail("tls", "renew it", exit.With(exit.Left, fmt.Errorf("the %s ended on %s", name, until)))
	case left < certificateWarning:
		d.warn("tls", "renew it", "the %s ends on %s, in %s", name, until, console.Duration(left))
	}
}
