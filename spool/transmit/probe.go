package transmit

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// Step is one of the things that have to work before a request can be made.
type Step struct {
	Name   string // "proxy", "resolve", "connect", "tls"
	Detail string // what was found; "" after an error
	Err    error  // like that of a Verdict
}

// Diagnosis is how far a connection comes.
type Diagnosis struct {
	Steps    []Step    // in order; only the last one may have failed
	NotAfter time.Time // end of the listener's certificate; zero if none was verified
}

// Probe does all that comes before a request and sends none. It resolves the name, connects and makes
// the TLS handshake, within the timeouts of Config, and closes the connection.
func (t *Transmitter) Probe(ctx context.Context) Diagnosis {
	var d Diagnosis
	step := func(name, detail string, err error) bool {
		s := Step{Name: name, Detail: detail}
		if err != nil {
			s.Detail, s.Err = "", t.failed(ctx, err).Err
		}
		d.Steps = append(d.Steps, s)
		return err == nil
	}

	limit := time.Now().Add(t.timeout)
	host := t.target.host
	if t.proxy != nil {
		step("proxy", t.proxy.display, nil)
		host = t.proxy.host
	}
	// A dial function of the caller's resolves names itself, and an address needs no lookup.
	if !t.customDial && net.ParseIP(host) == nil && !strings.Contains(host, ":") {
		lookup, cancel := context.WithTimeout(ctx, t.connectTimeout)
		addresses, err := net.DefaultResolver.LookupHost(lookup, host)
		cancel()
		if !step("resolve", host+" is "+strings.Join(addresses, ", "), err) {
			return d
		}
	}
	c, err := t.client.Connect(ctx, limit)
	if err != nil {
		step("connect", "", err)
		return d
	}
	defer c.Close()
	step("connect", c.RemoteAddr().String(), nil)
	if err := c.Establish(ctx); err != nil {
		name := "tls"
		if stage := err.(*h1.Error).Stage; stage == h1.Tunnelling {
			name = "proxy"
		}
		step(name, "", err)
		return d
	}
	if session := c.TLS(); session != nil {
		state := session.ConnectionState()
		d.NotAfter = state.PeerCertificates[0].NotAfter
		step("tls", tls.VersionName(state.Version)+", certificate valid until "+d.NotAfter.UTC().Format("2006-01-02"), nil)
	}
	return d
}
