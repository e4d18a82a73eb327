package transmit

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// nextAddress is how long an address may be silent before the next one is tried as well: the
	// Connection Attempt Delay of RFC 8305 section 5.
	nextAddress = 250 * time.Millisecond
	// otherFamily is how long IPv4 addresses wait for IPv6 ones: the Resolution Delay of RFC 8305
	// section 3.
	otherFamily = 50 * time.Millisecond
)

// dialer connects to a host with one or more addresses, some of which may be dead (RFC 8305, "Happy
// Eyeballs"). Go's own dialer tries addresses of one family one after the other, and gives each two
// seconds at least.
type dialer struct {
	resolver       *net.Resolver
	connectTimeout time.Duration // of one address
	dialAddress    func(ctx context.Context, network, address string) (net.Conn, error)

	askNext time.Duration // the constant, but in tests

	mu       sync.Mutex // guards the fields below
	worked   netip.AddrPort
	resolved []netip.Addr  // the last lookup's first addresses
	took     time.Duration // to look them up
}

func newDialer(resolver *net.Resolver, connectTimeout time.Duration) *dialer {
	return &dialer{
		resolver: resolver, connectTimeout: connectTimeout, dialAddress: new(net.Dialer).DialContext,
		askNext: askNext,
	}
}

// dial connects to host. The address that worked last is tried first, and without a lookup.
func (d *dialer) dial(ctx context.Context, host string, port uint16) (net.Conn, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return d.attempt(ctx, netip.AddrPortFrom(address, port))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the attempts that lost
	r := race{d: d, ctx: ctx, host: host, port: port, begin: time.Now(), attempts: make(chan attempt)}
	d.mu.Lock()
	r.known = d.worked
	d.mu.Unlock()
	won, err := r.run()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.worked = won.address
	d.mu.Unlock()
	return won.conn, nil
}

// attempt tries an address once, or twice if this process was stopped meanwhile.
func (d *dialer) attempt(ctx context.Context, address netip.AddrPort) (net.Conn, error) {
	until := time.Now().Add(d.connectTimeout)
	c, err := d.attemptUntil(ctx, until, address)
	if err != nil && wasStopped(until) && over(ctx) == nil {
		c, err = d.attemptUntil(ctx, time.Now().Add(d.connectTimeout), address)
	}
	return c, err
}

func (d *dialer) attemptUntil(ctx context.Context, until time.Time, address netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return d.dialAddress(ctx, "tcp", address.String())
}
