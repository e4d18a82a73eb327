package transmit

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// askNext is how long a name server may be silent before the next one is asked as well. Go's
// resolver turns to the next one after five seconds, and then the time of a request is over.
const askNext = time.Second

var errAskedAlready = errors.New("this name server has been asked already")

// found is what became of the lookup of one family of addresses. Without an error and without
// addresses, the name has none.
type found struct {
	addresses []netip.Addr
	err       error
}

// lookupEach looks up the IPv4 and the IPv6 addresses of host and sends each result when it is
// there: some name servers answer for one family and never for the other.
func (d *dialer) lookupEach(ctx context.Context, host string) <-chan found {
	results := make(chan found, 2)
	for _, network := range [...]string{"ip4", "ip6"} {
		go func() { results <- d.lookup(ctx, network, host) }()
	}
	return results
}

// lookup asks again after every d.askNext of silence. A name server that has not answered is passed
// over while there is another one, and goes on being waited for: it may only be slow.
func (d *dialer) lookup(ctx context.Context, network, host string) found {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	servers := &servers{asked: make(map[string]bool)}
	answers := make(chan found)
	ask := time.NewTimer(0)
	defer ask.Stop()
	waiting := 0
	var failed error
	for {
		select {
		case <-ask.C:
			waiting++
			go func() {
				f := d.lookupOnce(ctx, network, host, servers)
				select {
				case answers <- f:
				case <-ctx.Done():
				}
			}()
			ask.Reset(d.askNext)
		case f := <-answers:
			waiting--
			switch {
			case f.err == nil:
				return f
			case failed == nil && f.err != errAskedAlready:
				failed = f.err
				ask.Stop() // every server has failed
			}
			if waiting == 0 && failed != nil {
				return found{err: failed}
			}
		case <-ctx.Done():
			return found{err: cmp.Or[error](failed, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true})}
		}
	}
}

// lookupOnce lets Go's resolver ask every server that nobody has asked yet, and then the others
// again.
func (d *dialer) lookupOnce(ctx context.Context, network, host string, servers *servers) found {
	// A resolver of its own, because one resolver merges lookups of the same name.
	resolver := net.Resolver{PreferGo: d.resolver.PreferGo, StrictErrors: d.resolver.StrictErrors}
	dial := d.resolver.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	turn := servers.turn()
	resolver.Dial = func(ctx context.Context, network, server string) (net.Conn, error) {
		if !turn.asks(server) {
			return nil, errAskedAlready
		}
		c, err := dial(ctx, network, server)
		if err == nil {
			context.AfterFunc(ctx, func() { c.Close() }) // the resolver would wait for a silent server to the end
		}
		return c, err
	}
	addresses, err := resolver.LookupNetIP(ctx, network, host)
	var dns *net.DNSError
	var other *net.AddrError // the name has addresses of the other family only
	if errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &other) {
		return found{}
	}
	for i, address := range addresses {
		addresses[i] = address.Unmap()
	}
	if err != nil && turn.onlyPassed() {
		err = errAskedAlready
	}
	return found{addresses, err}
}

// servers are the name servers that lookups of one name have asked.
type servers struct {
	mu    sync.Mutex // guards asked, and the maps of the turns
	asked map[string]bool
}

// turn is one pass of a resolver over its list of servers, which it goes through twice.
type turn struct {
	*servers
	mine   map[string]bool
	passed map[string]bool
}

func (s *servers) turn() *turn {
	return &turn{servers: s, mine: make(map[string]bool), passed: make(map[string]bool)}
}

// onlyPassed reports whether every server was passed over, so that the turn's error says nothing.
// The resolver of the C library asks by itself, and passes over none.
func (t *turn) onlyPassed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.passed) > 0 && len(t.mine) == 0
}

// asks reports whether to ask server. One that was asked before this turn is passed over once.
func (t *turn) asks(server string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asked[server] && !t.mine[server] && !t.passed[server] {
		t.passed[server] = true
		return false
	}
	t.asked[server], t.mine[server] = true, true
	return true
}
