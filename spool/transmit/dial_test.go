package transmit

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// network is where a test's addresses are. It lists the attempts to connect.
type network struct {
	mu        sync.Mutex
	dead      map[string]error // an address without an error swallows what is sent to it
	tried     []string
	connected time.Time // for the last time
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(address)
	n.mu.Lock()
	n.tried = append(n.tried, host)
	err, dead := n.dead[host]
	if !dead {
		n.connected = time.Now()
	}
	n.mu.Unlock()
	switch {
	case dead && err != nil:
		return nil, &net.OpError{Op: "dial", Err: err}
	case dead:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")(theirs, 1)
	}()
	return ours, nil
}

// dialling makes a transmitter to listener.test in the network.
func (n *network) dialling(t *testing.T, names *net.Resolver) *Transmitter {
	tr := newTransmitter(t, Config{URL: "http://listener.test./", Resolver: names})
	tr.dialer.dialAddress = n.dial
	return tr
}

func always(r dnsReply) func(int, dnsmessage.Type) dnsReply {
	return func(int, dnsmessage.Type) dnsReply { return r }
}

// Each of these stopped all deliveries, while curl with its defaults delivered.
func TestSlowNameServersAndDeadAddressesCostLittle(t *testing.T) {
	const v4, other, v6 = "10.0.0.1", "10.0.0.2", "2001:db8::1"
	for _, c := range []struct {
		name  string
		say   func(n int, family dnsmessage.Type) dnsReply
		dead  map[string]error
		took  time.Duration
		tried string
	}{
		{"nothing is wrong", always(tells(v4, v6)), nil, 0, v6},
		{"only IPv4", always(tells(v4)), nil, 0, v4},
		{"only IPv6", always(tells(v6)), nil, 0, v6},
		{"the first name server is silent", func(n int, _ dnsmessage.Type) dnsReply {
			return dnsReply{silent: n < 2, addresses: []string{v4}}
		}, nil, time.Second, v4},
		{"the first two are silent", func(n int, _ dnsmessage.Type) dnsReply {
			return dnsReply{silent: n < 4, addresses: []string{v4}}
		}, nil, 2 * time.Second, v4},
		{"a question about IPv6 has no answer", func(_ int, family dnsmessage.Type) dnsReply {
			return dnsReply{silent: family == dnsmessage.TypeAAAA, addresses: []string{v4}}
		}, nil, 50 * time.Millisecond, v4},
		{"a question about IPv4 has no answer", func(_ int, family dnsmessage.Type) dnsReply {
			return dnsReply{silent: family == dnsmessage.TypeA, addresses: []string{v6}}
		}, nil, 0, v6},
		{"a question about IPv6 is a failure", func(_ int, family dnsmessage.Type) dnsReply {
			if family == dnsmessage.TypeAAAA {
				return dnsReply{code: dnsmessage.RCodeServerFailure}
			}
			return tells(v4)
		}, nil, 0, v4},
		{"the name server needs 2.5 s", always(dnsReply{after: 2500 * time.Millisecond, addresses: []string{v4}}), nil, 2500 * time.Millisecond, v4},
		{"one IPv4 address is dead", always(tells(v4, other)), map[string]error{v4: nil}, 250 * time.Millisecond, v4 + " " + other},
		{"the IPv6 address is dead", always(tells(v4, v6)), map[string]error{v6: nil}, 250 * time.Millisecond, v6 + " " + v4},
		{"two addresses are dead", always(tells(v4, other, v6)), map[string]error{v6: nil, v4: nil}, 500 * time.Millisecond, v6 + " " + v4 + " " + other},
		{"one address refuses", always(tells(v4, other)), map[string]error{v4: syscall.ECONNREFUSED}, 0, v4 + " " + other},
		{"the IPv4 address refuses and the answer about IPv6 is late", func(_ int, family dnsmessage.Type) dnsReply {
			if family == dnsmessage.TypeAAAA {
				return dnsReply{after: 1500 * time.Millisecond, addresses: []string{v6}}
			}
			return tells(v4)
		}, map[string]error{v4: syscall.ECONNREFUSED}, 1500 * time.Millisecond, v4 + " " + v6},
		{"there is no IPv6 here", always(tells(v4, v6)), map[string]error{v6: syscall.ENETUNREACH}, 0, v6 + " " + v4},
		{"a slow name server and a dead address", always(dnsReply{after: 2500 * time.Millisecond, addresses: []string{v4, other}}), map[string]error{v4: nil},
			2750 * time.Millisecond, v4 + " " + other},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{dead: c.dead}
				tr := n.dialling(t, resolver(t, c.say))
				begin := time.Now()
				mustHold(t, send(tr, "{}"), Delivered, 200, "")
				if took := n.connected.Sub(begin); took != c.took {
					t.Errorf("connecting took %v, want %v", took, c.took)
				}
				if tried := strings.Join(n.tried, " "); tried != c.tried {
					t.Errorf("the addresses tried are %s, want %s", tried, c.tried)
				}
				time.Sleep(10 * time.Second) // until a slow name server has answered
			})
		})
	}
}

func TestALookupOrConnectionThatFailsNamesItsCause(t *testing.T) {
	const v4, other, v6 = "10.0.0.1", "10.0.0.2", "2001:db8::1"
	for _, c := range []struct {
		name    string
		say     func(n int, family dnsmessage.Type) dnsReply
		dead    map[string]error
		took    time.Duration
		message string
		cause   Cause
	}{
		{"no name server answers", always(dnsReply{silent: true}), nil, 5 * time.Second, "the lookup of listener.test. got no answer in time", SlowLookup},
		{"the name server is slower than the timeout", always(dnsReply{after: 6 * time.Second}), nil, 5 * time.Second, "got no answer in time", SlowLookup},
		{"the name is unknown", always(dnsReply{code: dnsmessage.RCodeNameError}), nil, 0, "no such host: listener.test.", NoSuchHost},
		{"the name has no address", always(tells()), nil, 0, "no such host: listener.test.", NoSuchHost},
		{"the name server fails", always(dnsReply{code: dnsmessage.RCodeServerFailure}), nil, 0, "the lookup of listener.test. failed: ", LookupFailed},
		{"the name server sends garbage", always(dnsReply{garbage: true}), nil, 0, "the lookup of listener.test. failed: ", LookupFailed},
		{"every address is dead", always(tells(v4, v6)), map[string]error{v4: nil, v6: nil}, 2250 * time.Millisecond, "no connection within 2s", ConnectTimeout},
		{"every address refuses", always(tells(v4, v6)), map[string]error{v4: syscall.ECONNREFUSED, v6: syscall.ECONNREFUSED}, 0, "connecting: connection refused", Refused},
		{"the IPv4 addresses refuse and the question about IPv6 has no answer", func(_ int, family dnsmessage.Type) dnsReply {
			return dnsReply{silent: family == dnsmessage.TypeAAAA, addresses: []string{v4, other}}
		}, map[string]error{v4: syscall.ECONNREFUSED, other: syscall.ECONNREFUSED}, 2050 * time.Millisecond, "connecting: connection refused", Refused},
		{"one refuses and the other is of no use here", always(tells(v4, v6)), map[string]error{v4: syscall.ECONNREFUSED, v6: syscall.ENETUNREACH}, 0, "connecting: connection refused", Refused},
		{"descriptors have run out", always(tells(v4, v6)), map[string]error{v4: syscall.EMFILE, v6: syscall.ENETUNREACH}, 0, "too many open files", NoDescriptors},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{dead: c.dead}
				tr := n.dialling(t, resolver(t, c.say))
				begin := time.Now()
				v := send(tr, "{}")
				if took := time.Since(begin); took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
				action := Kept
				if c.cause == NoDescriptors {
					action = Aborted
				}
				mustHold(t, v, action, 0, c.message)
				mustHaveCause(t, v.Err, c.cause)
				time.Sleep(10 * time.Second) // until a slow name server has answered
			})
		})
	}
}

func TestTheAddressThatWorkedIsTriedFirstAndWithoutALookup(t *testing.T) {
	const dead, good, later = "10.0.0.1", "10.0.0.2", "10.0.0.3"
	synctest.Test(t, func(t *testing.T) {
		n := &network{dead: map[string]error{dead: nil}}
		var questions atomic.Int64
		known := []string{dead, good}
		tr := n.dialling(t, resolver(t, func(int, dnsmessage.Type) dnsReply { questions.Add(1); return tells(known...) }))
		for range 3 {
			mustHold(t, send(tr, "{}"), Delivered, 200, "")
		}
		if want := []string{dead, good, good, good}; !slices.Equal(n.tried, want) || questions.Load() != 2 {
			t.Errorf("3 connections tried %s with %d questions to the name server, want %s with 2", n.tried, questions.Load(), want)
		}
		// The listener moves, and its old address swallows what is sent to it.
		n.tried, n.dead[good], known = nil, nil, []string{later}
		begin := time.Now()
		mustHold(t, send(tr, "{}"), Delivered, 200, "")
		if took := time.Since(begin); took != nextAddress {
			t.Errorf("finding the new address took %v, want %v", took, nextAddress)
		}
		if want := []string{good, later}; !slices.Equal(n.tried, want) || questions.Load() != 4 {
			t.Errorf("the addresses tried are %s after %d questions, want %s after 4", n.tried, questions.Load(), want)
		}
	})
}

func TestProbeSaysThatANameServerIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		tr := n.dialling(t, resolver(t, func(i int, _ dnsmessage.Type) dnsReply {
			return dnsReply{silent: i < 2, addresses: []string{"10.0.0.1"}}
		}))
		d := tr.Probe(context.Background())
		const want = "listener.test. is 10.0.0.1, after 1.0s: a name server is slow or silent"
		if steps(d) != "resolve connect" || d.Steps[0].Detail != want {
			t.Errorf("the steps are %+v, want a lookup that is %q", d.Steps, want)
		}
	})
}
