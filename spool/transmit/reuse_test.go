package transmit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	s, accepted := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/500" {
			w.WriteHeader(500)
		}
		io.WriteString(w, strings.Repeat("x", 3000))
	})
	for _, path := range []string{"/200", "/500"} {
		accepted.Store(0)
		tr := newTransmitter(t, Config{URL: s.URL + path})
		for range 100 {
			send(tr, "{}")
		}
		if n := accepted.Load(); n != 1 {
			t.Errorf("100 requests to %s in a row took %d connections, want 1", path, n)
		}
	}
	accepted.Store(0)
	tr := newTransmitter(t, Config{URL: s.URL, MaxIdle: -1})
	send(tr, "{}")
	send(tr, "{}")
	if n := accepted.Load(); n != 2 {
		t.Errorf("2 requests without idle connections took %d connections, want 2", n)
	}
}

func TestAtMostMaxIdleConnectionsAreKept(t *testing.T) {
	t.Parallel()
	arrived, answer := make(chan bool), make(chan bool)
	s, accepted := server(t, func(w http.ResponseWriter, r *http.Request) { arrived <- true; <-answer })
	tr := newTransmitter(t, Config{URL: s.URL, MaxIdle: 2})
	for round, want := range []int64{4, 6} {
		var sends sync.WaitGroup
		for range 4 {
			sends.Go(func() { mustHold(t, send(tr, "{}"), Delivered, 200, "") })
		}
		for range 4 {
			<-arrived
		}
		for range 4 {
			answer <- true
		}
		sends.Wait()
		if n := accepted.Load(); n != want {
			t.Errorf("after round %d of 4 requests at once there were %d connections, want %d", round+1, n, want)
		}
	}
}

// A listener that closes between requests without saying so costs nothing.
func TestAConnectionClosedWhileIdleIsNotUsed(t *testing.T) {
	t.Parallel()
	closed := make(chan bool)
	l := listen(t, nil, func(c net.Conn, _ int) {
		readRequest(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		c.Close()
		closed <- true
	})
	tr := newTransmitter(t, Config{URL: l.url()})
	for range 5 {
		mustHold(t, send(tr, "{}"), Delivered, 200, "")
		<-closed
	}
	if n := l.accepted.Load(); n != 5 {
		t.Errorf("5 requests took %d connections, want 5", n)
	}
}

// A second answer to one request must not become the answer to the next. A payload that nobody took
// would be removed.
func TestAnAnswerToThePreviousRequestIsNotTakenForTheNext(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			ca, config := tlsFor(t, secure)
			for _, how := range []string{"together", "apart"} {
				sent := make(chan bool, 10)
				l := listen(t, config, func(c net.Conn, number int) {
					readRequest(bufio.NewReader(c))
					const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
					if number > 1 {
						io.WriteString(c, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
					} else if how == "together" {
						io.WriteString(c, ok+ok)
					} else {
						io.WriteString(c, ok)
						io.WriteString(c, ok)
					}
					sent <- true
					untilClosed(c)
				})
				tr := newTransmitter(t, Config{URL: scheme(secure) + l.address, CAFile: ca})
				mustHold(t, send(tr, "{}"), Delivered, 200, "")
				<-sent
				mustHold(t, send(tr, "{}"), Kept, 500, "answered 500")
			}
		})
	}
}

// Balancers and servers close connections that were idle, some of them only when the next request comes.
// That says nothing about the item: it goes out once more, under the same key, on a new connection.
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
func TestNoRequestGoesOutAgainAfterANewConnectionEnded(t *testing.T) {
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

func TestWithoutKeepAlivesEveryRequestHasItsConnection(t *testing.T) {
	t.Parallel()
	s, accepted := server(t, func(w http.ResponseWriter, r *http.Request) {
		if !r.Close {
			t.Error("the request does not say that the connection will be closed")
		}
	})
	tr := newTransmitter(t, Config{URL: s.URL, DisableKeepAlives: true, MaxIdle: 8})
	for range 3 {
		mustHold(t, send(tr, "{}"), Delivered, 200, "")
	}
	if n := accepted.Load(); n != 3 {
		t.Errorf("3 requests took %d connections, want 3", n)
	}
}

// brokenPipe is a connection whose next write fails before a byte was taken.
type brokenPipe struct {
	net.Conn
	broken bool
}

func (c *brokenPipe) Write(b []byte) (int, error) {
	if c.broken {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(b)
}

func TestARequestOfWhichNothingWasTakenGoesOutOnANewConnection(t *testing.T) {
	l := listen(t, nil, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	var last *brokenPipe
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		last = &brokenPipe{Conn: c}
		return last, err
	}
	tr := newTransmitter(t, Config{URL: l.url(), Dial: dial})
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	last.broken = true
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	if n := l.accepted.Load(); n != 2 {
		t.Errorf("%d connections were made, want 2", n)
	}
}

// After a listener's restart every idle connection is dead; one of them is enough to know.
func TestADeadConnectionTakesTheOtherIdleOnesAlong(t *testing.T) {
	var together sync.WaitGroup
	together.Add(2)
	l := listen(t, nil, func(c net.Conn, number int) {
		br := bufio.NewReader(c)
		readRequest(br)
		if number <= 2 {
			together.Done()
			together.Wait()
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		if number > 2 {
			answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(c, number)
		} else {
			readRequest(br) // and say nothing
		}
	})
	tr := newTransmitter(t, Config{URL: l.url()})
	var sends sync.WaitGroup
	sends.Go(func() { send(tr, "{}") })
	sends.Go(func() { send(tr, "{}") })
	sends.Wait()
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	if n := l.accepted.Load(); n != 3 {
		t.Errorf("%d connections were made, want 3: both kept ones are given up for one new one", n)
	}
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	if n := l.accepted.Load(); n != 3 {
		t.Errorf("%d connections were made, want 3: the new one is kept", n)
	}
}
