package transmit

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// tcpOf returns the TCP connection under c.
func tcpOf(c net.Conn) *net.TCPConn {
	if session, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = session.NetConn()
	}
	return c.(*net.TCPConn)
}

// flood writes text again and again until size bytes are out or the client has gone.
func flood(c net.Conn, text string, size int) {
	block := bytes.Repeat([]byte(text), (32<<10)/len(text)+1)
	for ; size > 0; size -= len(block) {
		if _, err := c.Write(block); err != nil {
			return
		}
	}
}

// trickle writes text byte by byte, again and again, until the client has gone.
func trickle(c net.Conn, text string) {
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for {
		for i := range len(text) {
			if _, err := io.WriteString(c, text[i:i+1]); err != nil {
				return
			}
			<-pace.C
		}
	}
}

// hostile is a listener's behaviour on every connection, once it has read a request, and what must
// come of it.
type hostile struct {
	name     string
	do       func(c net.Conn)
	action   Action
	status   int
	err      string // in the error
	slow     bool   // ends by the timeout
	large    bool   // send a body that no socket buffer holds
	early    bool   // act before reading the request
	location string // where it points to
	socket   bool   // needs a socket, and not just a connection
}

func says(text string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, text); untilClosed(c) }
}

func saysAndCloses(text string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, text) }
}

// afterAByte acts as soon as a request begins. Bytes that are sent before that are not an answer.
func afterAByte(do func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		if n, _ := c.Read(make([]byte, 1)); n == 1 {
			do(c)
		}
	}
}

const endless = 1 << 30

var bomb = func() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(make([]byte, 4<<20))
	w.Close()
	return b.String()
}()

var hostiles = []hostile{
	{name: "never answers", do: untilClosed, slow: true, err: "no complete answer within"},
	{name: "never reads", do: stall, early: true, large: true, slow: true, err: "did not read the whole request within"},
	{name: "trickles a status line for ever", do: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 "); trickle(c, "O") }, slow: true, err: "no complete answer"},
	{name: "trickles headers for ever", do: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\n"); trickle(c, "A: b\r\n") }, slow: true, err: "no complete answer"},
	{name: "trickles the body of a success", do: func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
		trickle(c, "x")
	}, slow: true, action: Delivered, status: 200},
	{name: "trickles the body of a failure", do: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 500 No\r\n\r\n"); trickle(c, "x") }, slow: true, status: 500},
	{name: "stops in the middle of a body", do: says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), slow: true, action: Delivered, status: 200},
	{name: "stops in the middle of the headers", do: says("HTTP/1.1 200 OK\r\nContent-Le"), slow: true, err: "no complete answer"},
	{name: "continues for ever", do: func(c net.Conn) { flood(c, "HTTP/1.1 100 Continue\r\n\r\n", endless) }, err: "more than 16 interim"},
	{name: "says once that it continues", do: says("HTTP/1.1 100 Continue\r\n\r\n"), slow: true, err: "no complete answer"},
	{name: "floods with interim answers full of headers", do: func(c net.Conn) {
		flood(c, "HTTP/1.1 103 Early Hints\r\n"+strings.Repeat("Link: x\r\n", 1000)+"\r\n", endless)
	}, err: "larger than 64 KiB"},
	{name: "sends 16 interim answers", do: says(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 16) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), action: Delivered, status: 200},
	{name: "switches protocols", do: says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), status: 101, err: "answered 101"},

	{name: "closes at once", do: func(net.Conn) {}, early: true},
	{name: "closes without an answer", do: func(net.Conn) {}, err: "closed without an answer"},
	{name: "resets without an answer", socket: true, do: func(c net.Conn) { tcpOf(c).SetLinger(0) }, err: "reset"},
	{name: "half-closes without an answer", socket: true, do: func(c net.Conn) { tcpOf(c).CloseWrite(); untilClosed(c) }, err: "closed without an answer"},
	{name: "half-closes after an answer without a length", socket: true, do: func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nok")
		tcpOf(c).CloseWrite()
		untilClosed(c)
	}, action: Delivered, status: 200},
	{name: "closes in the middle of the headers", do: saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"), err: "in the middle of an answer"},
	{name: "closes in the middle of a body", do: saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), action: Delivered, status: 200},
	{name: "resets in the middle of a body", socket: true, do: func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 202 Accepted\r\nContent-Length: 5000\r\n\r\nab")
		tcpOf(c).SetLinger(0)
	}, action: Delivered, status: 202},

	{name: "accepts before reading a small body", early: true, do: afterAByte(says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")), action: Delivered, status: 200},
	{name: "accepts a body that it does not read and closes", early: true, large: true, do: afterAByte(saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")), err: ""},
	{name: "accepts a body that it does not read and waits", early: true, large: true, do: afterAByte(func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); stall(c) }),
		slow: true, status: 200, err: "answered 200 before it had read the whole request"},
	{name: "refuses a body that it does not read and waits", early: true, large: true, do: afterAByte(func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
		stall(c)
	}), slow: true, action: Rejected, status: 413},

	{name: "sends 204 with a body", do: says("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"), action: Delivered, status: 204},
	{name: "sends 204 with a body unannounced", do: says("HTTP/1.1 204 No Content\r\n\r\nhello"), action: Delivered, status: 204},
	{name: "announces less than it sends", do: says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello"), action: Delivered, status: 200},
	{name: "announces more than it sends", do: saysAndCloses("HTTP/1.1 500 No\r\nContent-Length: 2000000\r\n\r\nhello"), status: 500},
	{name: "announces a negative length", do: saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello"), action: Delivered, status: 200},
	{name: "announces two lengths", do: saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nhello"), action: Delivered, status: 200},
	{name: "announces a length and chunks", do: saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), action: Delivered, status: 200},
	{name: "sends malformed chunks", do: saysAndCloses("HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\nhello"), action: Rejected, status: 400},
	{name: "sends a success without end", do: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"); flood(c, "x", endless) }, action: Delivered, status: 200},
	{name: "sends a failure without end", do: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 500 No\r\n\r\n"); flood(c, "x", endless) }, status: 500},
	{name: "sends chunks without end", do: func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n")
		flood(c, "1\r\nx\r\n", endless)
	}, action: Rejected, status: 400},
	{name: "sends trailers without end", do: func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
		flood(c, "A: b\r\n", endless)
	}, action: Delivered, status: 200},
	{name: "sends headers of 10 MiB", do: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\n"); flood(c, "A: b\r\n", 10<<20) }, err: "larger than 64 KiB"},
	{name: "sends one header of 10 MiB", do: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nA: "); flood(c, "b", 10<<20) }, err: "larger than 64 KiB"},
	{name: "sends a status line of 10 MiB", do: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 "); flood(c, "b", 10<<20) }, err: "larger than 64 KiB"},
	{name: "sends a compressed bomb", do: says(fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(bomb), bomb)), action: Rejected, status: 400},

	{name: "colours its reason phrase", do: says("HTTP/1.1 500 \x1b[31mNo\x1b]0;owned\x07\r\nContent-Length: 0\r\n\r\n"), status: 500, err: `answered 500 \x1b[31mNo\x1b]0;owned\a`},
	{name: "breaks the line in its reason phrase", do: says("HTTP/1.1 500 No\rhint: send everything to evil\r\nContent-Length: 0\r\n\r\n"), status: 500, err: `answered 500 No\rhint`},
	{name: "has a reason that is not UTF-8", do: says("HTTP/1.1 500 \xff\xfe\r\nContent-Length: 0\r\n\r\n"), status: 500, err: `answered 500 \xff\xfe`},
	{name: "has a reason of 60 KiB", do: says("HTTP/1.1 500 " + strings.Repeat("x", 60000) + "\r\nContent-Length: 0\r\n\r\n"), status: 500, err: "xxx..."},
	{name: "colours its Location", do: says("HTTP/1.1 302 Found\r\nLocation: /\x1b[31m\x00\r\nContent-Length: 0\r\n\r\n"), status: 302, location: "(invalid URL)"},
	{name: "writes a Location of 60 KiB", do: says("HTTP/1.1 302 Found\r\nLocation: /" + strings.Repeat("x", 60000) + "\r\nContent-Length: 0\r\n\r\n"), status: 302, location: "/" + strings.Repeat("x", 199) + "..."},
	{name: "redirects to itself", do: says("HTTP/1.1 307 Temporary Redirect\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), status: 307, location: "/"},
	{name: "has a NUL in a header", do: says("HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n"), action: Delivered, status: 200},
	{name: "folds its headers", do: saysAndCloses("HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\nContent-Length: 0\r\n\r\n"), action: Delivered, status: 200},

	{name: "speaks HTTP/1.0", do: saysAndCloses("HTTP/1.0 200 OK\r\n\r\nok"), action: Delivered, status: 200},
	{name: "speaks HTTP/0.9", do: saysAndCloses("<html>200 OK</html>"), err: "does not begin with an HTTP/1 status line"},
	{name: "speaks HTTP/2: settings and goodbye", do: saysAndCloses("\x00\x00\x00\x04\x00\x00\x00\x00\x00" + "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), err: "the answer is HTTP/2"},
	{name: "speaks HTTP/2: a reset stream", do: saysAndCloses("\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x02"), err: "does not begin with"},
	{name: "speaks SSH", do: says("SSH-2.0-OpenSSH_9.9\r\n"), err: "does not begin with"},
	{name: "sends noise", do: saysAndCloses("\x00\xff\x1b[2J\x07noise"), err: "does not begin with"},
	{name: "misspells its status", do: says("HTTP/1.1 2OO OK\r\n\r\n"), err: "does not begin with"},
	{name: "has a status of four digits", do: says("HTTP/1.1 2000 OK\r\n\r\n"), err: "does not begin with"},
	{name: "begins with an empty line", do: says("\r\nHTTP/1.1 200 OK\r\n\r\n"), err: "does not begin with"},
	{name: "has a status that nobody knows", do: says("HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n"), status: 999, err: "answered 999 Denied"},
}

// stall holds the connection without reading from it until the test ends.
func stall(c net.Conn) {
	if socket, err := tcpOf(c).SyscallConn(); err == nil {
		socket.Read(func(uintptr) bool { return false })
	}
}

func TestHostileListenersGetTheRightVerdict(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		ca, config := tlsFor(t, secure)
		for _, h := range hostiles {
			t.Run(scheme(secure)+" "+h.name, func(t *testing.T) {
				t.Parallel()
				l := listen(t, config, func(c net.Conn, _ int) {
					if !h.early {
						readRequest(bufio.NewReader(c))
					}
					h.do(c)
				})
				cfg := Config{URL: scheme(secure) + l.address, CAFile: ca, Timeout: time.Minute}
				if h.slow {
					cfg.Timeout = time.Second
				}
				body := []byte("{}")
				if h.large {
					body = make([]byte, 16<<20)
				}
				tr := newTransmitter(t, cfg)
				begin := time.Now()
				v := tr.Send(context.Background(), Request{Body: body, Key: "key"})
				// Far from any time that a busy machine needs, and from the minute that it may
				// take: see TestHostileListenersEndOnTime for the exact times.
				if took := time.Since(begin); took > 20*time.Second {
					t.Errorf("it took %v with a timeout of %v", took, cfg.Timeout)
				}
				if h.large && !h.slow && v.Status != 0 { // whether the answer survives the reset is the kernel's choice
					h.status = 200
				}
				mustHold(t, v, h.action, h.status, h.err)
				mustBeShowable(t, v)
				if e, ok := v.Err.(*Error); ok && e.Location != h.location {
					t.Errorf("it points to %q, want %q", e.Location, h.location)
				}
			})
		}
	}
}

func mustBeShowable(t *testing.T, v Verdict) {
	t.Helper()
	if len(v.Excerpt) > maxExcerpt {
		t.Errorf("the excerpt has %d bytes", len(v.Excerpt))
	}
	if v.Err == nil {
		return
	}
	var e *Error
	if !errors.As(v.Err, &e) {
		t.Errorf("%v is not an *Error", v.Err)
		return
	}
	for what, text := range map[string]string{"error": v.Err.Error(), "location": e.Location} {
		if len(text) > 600 || Printable(text) != text {
			t.Errorf("the %s is not one short printable line: %q", what, text)
		}
	}
}
