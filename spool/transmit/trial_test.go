package transmit

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

func TestATrialShowsWhatAListenerMustNotDo(t *testing.T) {
	const ok, closing = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	afterTheHead := func(answer string) func(net.Conn, int) {
		return func(c net.Conn, _ int) {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, answer)
				untilClosed(c)
			}
		}
	}
	var all sync.WaitGroup // they wait most of the time
	defer all.Wait()
	for _, c := range []struct {
		name   string
		do     func(net.Conn, int)
		action Action
		status int
		err    string
		want   Trial
	}{
		{"a listener that keeps the contract", answering(ok), Delivered, 200, "", Trial{}},
		{"an answer before the end of the request", afterTheHead(ok), Delivered, 200, "", Trial{Early: true}},
		{"a refusal before the end of the request", afterTheHead("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"), Rejected, 413, "", Trial{Early: true}},
		{"two answers at once", answering(ok + ok), Delivered, 200, "", Trial{Twice: true}},
		{"a body longer than it is said to be", answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc"), Delivered, 200, "", Trial{Twice: true}},
		{"an answer that closes", answering(closing), Delivered, 200, "", Trial{Closes: true}},
		{"an answer without a length", answering("HTTP/1.1 200 OK\r\n\r\n"), Delivered, 200, "", Trial{Closes: true}},
		{"a connection that ends after the answer", func(c net.Conn, _ int) {
			readRequest(bufio.NewReader(c))
			io.WriteString(c, ok)
		}, Delivered, 200, "", Trial{Closes: true}},
		{"words before the request", func(c net.Conn, _ int) { io.WriteString(c, ok); untilClosed(c) }, Kept, 0, "before it was asked", Trial{}},
		{"no answer", func(c net.Conn, _ int) { readRequest(bufio.NewReader(c)) }, Kept, 0, "closed without an answer", Trial{}},
	} {
		for _, secure := range []bool{false, true} {
			one := func(t *testing.T) {
				ca, config := tlsFor(t, secure)
				l := listen(t, config, c.do)
				tr := newTransmitter(t, Config{URL: scheme(secure) + l.address, CAFile: ca})
				got := tr.Try(context.Background(), Request{Body: []byte(`{"a":1}`), Key: "key"})
				mustHold(t, got.Verdict, c.action, c.status, c.err)
				if got.Early != c.want.Early || got.Twice != c.want.Twice || got.Closes != c.want.Closes {
					t.Errorf("early %v, twice %v, closes %v; want %v, %v, %v", got.Early, got.Twice, got.Closes, c.want.Early, c.want.Twice, c.want.Closes)
				}
				if n := l.accepted.Load(); n != 1 {
					t.Errorf("a trial made %d connections, want 1", n)
				}
			}
			all.Go(func() { t.Run(c.name+" over "+scheme(secure), one) })
		}
	}
}
