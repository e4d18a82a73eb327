package transmit

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Balancers and servers close connections that were idle, some of them only when the next request
// comes. That says nothing about the item: it goes out once more, under the same key, on a new
// connection.
func TestAKeptConnectionThatDiedIsNotHeldAgainstTheItem(t *testing.T) {
	t.Parallel()
	for name, die := range map[string]func(c net.Conn){
		"it is closed":                      func(net.Conn) {},
		"it is reset":                       func(c net.Conn) { tcpOf(c).SetLinger(0) },
		"a 408 is the answer":               saysAndCloses("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
		"a 408 is the answer, and it stays": says("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
	} {
		for _, secure := range []bool{false, true} {
			for _, end := range []struct {
				name, answer string
				action       Action
				status       int
			}{
				{"delivered by the second request", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Delivered, 200},
				{"refused by the second request", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", Kept, 500},
				{"without an answer to the second request", "", Kept, 0},
			} {
				t.Run(scheme(secure)+" "+name+" "+end.name, func(t *testing.T) {
					var mu sync.Mutex
					var keys []string
					ca, config := tlsFor(t, secure)
					l := listen(t, config, func(c net.Conn, number int) {
						br := bufio.NewReader(c)
						for {
							r, err := http.ReadRequest(br)
							if err != nil {
								return
							}
							io.Copy(io.Discard, r.Body)
							mu.Lock()
							keys = append(keys, r.Header.Get("Idempotency-Key"))
							n := len(keys)
							mu.Unlock()
							switch {
							case n == 1:
								io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
							case number == 1:
								die(c)
								return
							default:
								io.WriteString(c, end.answer)
								return
							}
						}
					})
					tr := newTransmitter(t, Config{URL: scheme(secure) + l.address, CAFile: ca, Timeout: time.Minute})
					mustHold(t, tr.Send(context.Background(), Request{Key: "a"}), Delivered, 200, "")
					v := tr.Send(context.Background(), Request{Key: "b"})
					mustHold(t, v, end.action, end.status, "")
					mu.Lock()
					defer mu.Unlock()
					if want := []string{`"a"`, `"b"`, `"b"`}; !slices.Equal(keys, want) {
						t.Errorf("the listener saw requests with the keys %q, want %q", keys, want)
					}
				})
			}
		}
	}
}

// A new connection that ends has an item on it that nobody else sent, and a 408 there is an answer.
func TestARequestOnANewConnectionThatEndsIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		die    func(net.Conn)
		status int
	}{
		"closed": {func(net.Conn) {}, 0},
		"reset":  {func(c net.Conn) { tcpOf(c).SetLinger(0) }, 0},
		"a 408":  {saysAndCloses("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"), 408},
	} {
		var requests atomic.Int64
		l := listen(t, nil, func(conn net.Conn, _ int) {
			if readRequest(bufio.NewReader(conn)) == nil {
				requests.Add(1)
			}
			c.die(conn)
		})
		mustHold(t, send(newTransmitter(t, Config{URL: l.url()}), "{}"), Kept, c.status, "")
		if n := requests.Load(); n != 1 {
			t.Errorf("%s: the listener saw %d requests, want 1", name, n)
		}
	}
}

// Without a key the listener could not recognise the item.
func TestARequestWithoutAKeyDoesNotGoOutAgain(t *testing.T) {
	t.Parallel()
	for name, die := range map[string]func(net.Conn){
		"closed": func(net.Conn) {},
		"a 408":  saysAndCloses("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
	} {
		var requests atomic.Int64
		l := listen(t, nil, func(c net.Conn, number int) {
			br := bufio.NewReader(c)
			for readRequest(br) == nil {
				if requests.Add(1) > 1 {
					die(c)
					return
				}
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
		tr := newTransmitter(t, Config{URL: l.url()})
		mustHold(t, tr.Send(context.Background(), Request{}), Delivered, 200, "")
		if v := tr.Send(context.Background(), Request{}); v.Action != Kept || requests.Load() != 2 {
			t.Errorf("%s: the second item is %v after %d requests, want it kept after 2", name, v.Action, requests.Load())
		}
	}
}
