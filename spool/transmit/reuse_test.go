package transmit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
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

// A server that speaks first, such as SSH, does not speak HTTP. Its words before the request are
// not an answer.
func TestAListenerThatSpeaksFirstDoesNotDeliver(t *testing.T) {
	sent := make(chan bool)
	l := listen(t, nil, func(c net.Conn, _ int) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		sent <- true
		untilClosed(c)
	})
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		<-sent
		return c, err
	}
	v := send(newTransmitter(t, Config{URL: l.url(), Dial: dial}), "{}")
	mustHold(t, v, Kept, 0, "the listener sent something before it was asked")
	mustHaveCause(t, v.Err, NotHTTP)
	if v.Sent {
		t.Error("the verdict says that some of the request was sent")
	}
}
