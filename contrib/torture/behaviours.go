//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

const okay = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// says answers every request with the text, as one of the status.
func says(status int, text string) func(net.Conn, func(int) error) {
	return func(c net.Conn, take func(int) error) {
		for take(status) == nil {
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// saysOnce answers one request and closes the connection.
func saysOnce(status int, text string) func(net.Conn, func(int) error) {
	return func(c net.Conn, take func(int) error) {
		if take(status) == nil {
			io.WriteString(c, text)
		}
	}
}

// floods answers a request and then writes text as long as anybody reads.
func floods(status int, begin, text string) func(net.Conn, func(int) error) {
	return func(c net.Conn, take func(int) error) {
		if take(status) != nil {
			return
		}
		io.WriteString(c, begin)
		block := []byte(strings.Repeat(text, 64<<10/len(text)+1))
		for range 1 << 14 { // a gigabyte
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}
}

// holds keeps the connection, reading nothing and saying nothing.
func holds(c net.Conn) {
	time.Sleep(4 * hostileTimeout)
}

// behaviours are representative of the many that the transmitter's own tests
// play in process; here the whole program meets them.
func behaviours() []behaviour {
	const failed = 69
	return []behaviour{
		{name: "never answers", code: failed, tells: "no complete answer", do: func(c net.Conn, take func(int) error) {
			if take(0) == nil {
				holds(c)
			}
		}},
		{name: "trickles its answer", code: failed, tells: "no complete answer", do: func(c net.Conn, take func(int) error) {
			if take(0) != nil {
				return
			}
			for _, b := range []byte("HTTP/1.1 200 OK\r\nX-Padding: " + strings.Repeat("x", 1000)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}},
		{name: "continues for ever", code: failed, tells: "interim", do: floods(0, "", "HTTP/1.1 100 Continue\r\n\r\n")},
		{name: "sends a success without end", do: floods(200, "HTTP/1.1 200 OK\r\n\r\n", "x")},
		{name: "sends a failure without end", code: failed, tells: "answered 500", do: floods(500, "HTTP/1.1 500 No\r\n\r\n", "x")},
		{name: "sends 10 MiB of headers", code: failed, tells: "headers", do: floods(0, "HTTP/1.1 200 OK\r\n", "X-Header: "+strings.Repeat("h", 100)+"\r\n")},
		{name: "sends one header without end", code: failed, tells: "headers", do: floods(0, "HTTP/1.1 200 OK\r\nX: ", "h")},
		{name: "closes in the middle of the body of a success", do: saysOnce(200, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")},
		{name: "closes without an answer", code: failed, tells: "closed", do: saysOnce(0, "")},
		{name: "resets the connection", code: failed, tells: "reset", do: func(c net.Conn, take func(int) error) {
			take(0)
			c.(*net.TCPConn).SetLinger(0)
		}},
		{name: "half-closes without an answer", code: failed, tells: "closed", do: func(c net.Conn, take func(int) error) {
			take(0)
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
		}},
		// Each surplus answer would be taken for that to the next item, which
		// would be lost.
		{name: "answers everything twice", do: says(200, okay+okay)},
		{name: "answers 204 with a body that looks like an answer", do: says(200, "HTTP/1.1 204 No Content\r\nContent-Length: 38\r\n\r\n"+okay)},
		{name: "answers before it is asked", do: func(c net.Conn, take func(int) error) {
			for {
				if _, err := io.WriteString(c, okay); err != nil || take(200) != nil {
					return
				}
			}
		}},
		{name: "writes escapes into its reason", code: failed, tells: `\x1b`, do: says(500, "HTTP/1.1 500 \x1b[31mred\x1b]0;owned\x07\u202e\r\nContent-Length: 0\r\n\r\n")},
		{name: "writes escapes into its Location", code: failed, tells: "moved to", do: says(302, "HTTP/1.1 302 Found\r\nLocation: http://evil/\x1b[2J\x9b\u202e\r\nContent-Length: 0\r\n\r\n")},
		{name: "redirects to itself for ever", code: failed, tells: "moved to", do: says(302, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")},
		{name: "speaks HTTP/0.9", code: failed, tells: "status line", do: saysOnce(0, "<html>200 OK</html>\n")},
		{name: "speaks HTTP/2", code: failed, tells: "HTTP/2", do: saysOnce(0, "\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
		{name: "speaks HTTP/1.0", do: saysOnce(200, "HTTP/1.0 200 OK\r\n\r\nfine")},
		{name: "answers with a compressed bomb", code: 65, tells: "rejected", do: says(400, bomb())},
		{name: "does not read a large request", large: true, code: failed, tells: "did not read", do: func(c net.Conn, _ func(int) error) { holds(c) }},
		{name: "refuses a large request unread", large: true, code: 65, tells: "rejected", do: func(c net.Conn, take func(int) error) {
			head := make([]byte, 4)
			if _, err := io.ReadFull(c, head); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
			holds(c)
		}},
		{name: "accepts a large request unread", large: true, code: failed, tells: "before it had read", do: func(c net.Conn, take func(int) error) {
			head := make([]byte, 4)
			if _, err := io.ReadFull(c, head); err != nil {
				return
			}
			io.WriteString(c, okay)
			holds(c)
		}},
	}
}

// bomb is a refusal whose body is small and would be large.
func bomb() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range 64 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	return fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", b.Len(), b.String())
}
