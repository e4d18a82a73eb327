package transmit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// slowLookup is how long a lookup may take without a remark.
const slowLookup = 500 * time.Millisecond

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
	c, err := t.client.Connect(ctx, limit)
	text, failed := t.lookupTold(host, err)
	switch {
	case failed:
		step("resolve", "", err)
		return d
	case text != "":
		step("resolve", text, nil)
	}
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

// lookupTold returns what the lookup found, "" if there was none: an address needs none, and a dial
// function of the caller's makes its own. failed means that err is the lookup's.
func (t *Transmitter) lookupTold(host string, err error) (text string, failed bool) {
	if dns := new(net.DNSError); errors.As(err, &dns) {
		return "", t.dialer != nil
	}
	if t.dialer == nil {
		return "", false
	}
	t.dialer.mu.Lock()
	defer t.dialer.mu.Unlock()
	if len(t.dialer.resolved) == 0 {
		return "", false
	}
	var addresses []string
	for _, address := range t.dialer.resolved {
		addresses = append(addresses, address.String())
	}
	text = host + " is " + strings.Join(addresses, ", ")
	if t.dialer.took > slowLookup {
		text += fmt.Sprintf(", after %.1fs: a name server is slow or silent", t.dialer.took.Seconds())
	}
	return text, false
}
