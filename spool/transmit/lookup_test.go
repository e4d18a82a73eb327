package transmit

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// It is asked again meanwhile, but not without end.
func TestANameServerThatFailsSlowlyHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := resolver(t, func(int, dnsmessage.Type) dnsReply {
			return dnsReply{after: 1200 * time.Millisecond, code: dnsmessage.RCodeServerFailure}
		})
		tr := newTransmitter(t, Config{URL: "http://listener.test./", Resolver: names, Timeout: time.Minute})
		begin := time.Now()
		v := send(tr, "{}")
		mustHold(t, v, Kept, 0, "the lookup of listener.test. failed: ")
		mustHaveCause(t, v.Err, LookupFailed)
		if took := time.Since(begin); took > 20*time.Second { // it depends on how many servers this machine has
			t.Errorf("it took %v", took)
		}
		time.Sleep(10 * time.Second)
	})
}

// Go's resolver goes through its list of servers twice.
func TestEveryTurnAsksNewNameServersFirst(t *testing.T) {
	s := &servers{asked: make(map[string]bool)}
	first, second, third := s.turn(), s.turn(), s.turn()
	for _, step := range []struct {
		turn   *turn
		server string
		want   bool
	}{
		{first, "a", true},
		{first, "a", true}, // once more, over TCP
		{second, "a", false},
		{second, "b", true},
		{second, "a", true},
		{third, "a", false},
		{third, "b", false},
		{third, "c", true},
	} {
		if got := step.turn.asks(step.server); got != step.want {
			t.Errorf("%+v: the server is asked: %v", step, got)
		}
	}
	last := s.turn()
	if last.onlyPassed() {
		t.Error("a turn that dialled no server is said to have passed over all of them")
	}
	if last.asks("a"); !last.onlyPassed() {
		t.Error("a turn that passed over its only server is not said to have")
	}
}

// The same over the loopback interface, with name servers that speak UDP.
func TestASecondNameServerIsAskedWhenTheFirstIsSilent(t *testing.T) {
	t.Parallel()
	l := listen(t, nil, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	_, port, _ := net.SplitHostPort(l.address)
	silent := serveNames(t, dnsReply{silent: true})
	good := serveNames(t, tells("127.0.0.1"))
	order := make(chan string, 100)
	order <- silent // for each family
	order <- silent
	names := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		to := good
		select {
		case to = <-order:
		default:
		}
		return new(net.Dialer).DialContext(ctx, network, to)
	}}
	tr := newTransmitter(t, Config{URL: "http://listener.test.:" + port, Resolver: names, Timeout: time.Minute})
	tr.dialer.askNext = time.Millisecond
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
}

// serveNames runs a name server and returns its address.
func serveNames(t *testing.T, r dnsReply) string {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan bool)
	go func() {
		defer close(ended)
		buffer := make([]byte, 1500)
		for {
			n, from, err := socket.ReadFrom(buffer)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if answer, _ := answerTo(buffer[:n], func(dnsmessage.Type) dnsReply { return r }); answer != nil {
				socket.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() { socket.Close(); <-ended })
	return socket.LocalAddr().String()
}
