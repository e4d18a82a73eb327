package transmit

import (
	"cmp"
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

// Probe does all that comes before a request and sends none. It resolves the name, connects and
// makes the TLS handshake, within the timeouts of Config, and closes the connection.
func (t *Transmitter) Probe(ctx context.Context) Diagnosis {
	var d Diagnosis
	step := func(name, detail string, err error) {
		s := Step{Name: name, Detail: detail}
		if err != nil {
			s.Err = t.failed(ctx, err).Err
		}
		d.Steps = append(d.Steps, s)
	}

	limit := time.Now().Add(t.timeout)
	host := t.target.host
	switch {
	case t.proxy != nil:
		step("proxy", t.proxy.display+", "+t.whyProxy, nil)
		host = t.proxy.host
	case t.whyProxy != "":
		step("proxy", "none, "+t.whyProxy, nil)
	}
	c, err := t.client.Connect(ctx, limit)
	if t.dialer != nil { // otherwise the caller's dial function has looked the name up
		if dns := new(net.DNSError); errors.As(err, &dns) {
			step("resolve", "", err)
			return d
		}
		if told := t.dialer.lookupTold(); told != "" { // an address needs no lookup
			step("resolve", host+" is "+told, nil)
		}
	}
	if err != nil {
		step("connect", "", err)
		return d
	}
	defer c.Close()
	step("connect", cmp.Or(t.socket, c.RemoteAddr().String()), nil)
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

// lookupTold returns the addresses that the lookup found, or "" if there was none.
func (d *dialer) lookupTold() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var addresses []string
	for _, address := range d.resolved {
		addresses = append(addresses, address.String())
	}
	told := strings.Join(addresses, ", ")
	if d.took > slowLookup {
		told += fmt.Sprintf(", after %.1fs: a name server is slow or silent", d.took.Seconds())
	}
	return told
}
