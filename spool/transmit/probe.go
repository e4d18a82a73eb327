package transmit

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"
)

// Step is one thing that has to work before a request can be made.
type Step struct {
	Name   string // "proxy", "resolve", "connect", "tls"
	Detail string // what was found; "" after an error
	Err    error  // like that of a Verdict
}

// Diagnosis is how far a connection comes.
type Diagnosis struct {
	Steps    []Step    // in order; only the last one may have failed
	NotAfter time.Time // end of the listener's certificate; zero without TLS or when the handshake failed
}

// Probe does all that comes before a request and sends none: it resolves the name, connects, and shakes hands, within the
// timeouts of Config. The connection is closed again.
func (t *Transmitter) Probe(ctx context.Context) Diagnosis {
	var d Diagnosis
	step := func(name string, at stage, detail string, err error) bool {
		s := Step{Name: name, Detail: detail}
		if err != nil {
			s.Detail, s.Err = "", t.failed(ctx, at, err).Err
		}
		d.Steps = append(d.Steps, s)
		return err == nil
	}

	limit := time.Now().Add(t.timeout)
	host := t.target.host
	if t.proxy != nil {
		step("proxy", connecting, t.proxy.display, nil)
		host = t.proxy.host
	}
	// Who brings a dial function resolves in it; an address needs no lookup.
	if !t.customDial && net.ParseIP(host) == nil && !strings.Contains(host, ":") {
		lookup, cancel := context.WithTimeout(ctx, t.connectTimeout)
		addresses, err := net.DefaultResolver.LookupHost(lookup, host)
		cancel()
		if !step("resolve", connecting, host+" is "+strings.Join(addresses, ", "), err) {
			return d
		}
	}
	raw, err := t.connect(ctx, limit)
	if err != nil {
		step("connect", connecting, "", err)
		return d
	}
	defer raw.Close()
	step("connect", connecting, raw.RemoteAddr().String(), nil)
	if err := raw.SetDeadline(limit); err != nil {
		step("connect", connecting, "", err)
		return d
	}
	watch := abortWith(ctx, raw)
	defer watch.stop()
	top, at, err := t.establish(raw)
	if err != nil {
		name := "tls"
		if at == tunnelling {
			name = "proxy"
		}
		step(name, at, "", err)
		return d
	}
	if session, ok := top.(*tls.Conn); ok && t.tls != nil {
		state := session.ConnectionState()
		d.NotAfter = state.PeerCertificates[0].NotAfter
		step("tls", securing, tls.VersionName(state.Version)+", certificate valid until "+d.NotAfter.UTC().Format("2006-01-02"), nil)
	}
	return d
}
