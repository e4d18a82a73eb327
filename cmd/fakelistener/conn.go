package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// maxHead bounds the request line and the headers of one request.
const maxHead = 1 << 20

// keepBuffer is the largest body buffer that a connection holds on to.
const keepBuffer = 1 << 20

// conn is one connection, served by one goroutine. Its buffers are used again for every request.
type conn struct {
	*server
	raw    net.Conn // below TLS, where a reset must go
	net    net.Conn
	source source
	in     *bufio.Reader // over source
	busy   atomic.Bool   // a request is in flight: closeIdle must wait for it
	body   []byte
	out    []byte
}

func newConn(s *server, raw net.Conn) *conn {
	c := &conn{server: s, raw: raw, net: raw}
	if s.TLS != nil {
		c.net = tls.Server(raw, s.TLS)
	}
	c.source.r = c.net
	c.in = bufio.NewReaderSize(&c.source, 8<<10)
	return c
}

// source reads at most left bytes from a connection and keeps the error that ended it. Without that
// error, a line that the client cut off would look like a bad one.
type source struct {
	r    io.Reader
	left int64
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	s.err = err
	return n, err
}

// serve answers one request after the other until the client leaves, a step ends the connection, or
// ctx ends.
func (c *conn) serve(ctx context.Context) {
	if t, isTLS := c.net.(*tls.Conn); isTLS {
		if err := t.HandshakeContext(ctx); err != nil {
			c.logf("TLS handshake with %s failed: %v", c.raw.RemoteAddr(), err)
			return
		}
		if t.ConnectionState().DidResume {
			c.stats.add(func(n *counts) { n.Resumed++ })
		}
	}
	for first := true; ; first = false {
		c.busy.Store(false)
		if ctx.Err() != nil {
			return
		}
		c.source.left = maxHead
		if _, err := c.in.Peek(1); err != nil {
			return // left between two requests
		}
		c.busy.Store(true)
		req, err := http.ReadRequest(c.in)
		if err != nil {
			c.refuse(ctx, err)
			return
		}
		c.source.left = math.MaxInt64
		if strings.EqualFold(req.Header.Get("Expect"), "100-continue") {
			_, _ = io.WriteString(c.net, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		if !c.answer(ctx, req, first) {
			return
		}
		if cap(c.body) > keepBuffer {
			c.body = nil
		}
	}
}

// answer deals with one request and reports whether the connection goes on.
func (c *conn) answer(ctx context.Context, req *http.Request, first bool) bool {
	if !strings.HasPrefix(req.URL.Path, controlPrefix) {
		return c.request(ctx, req)
	}
	if first { // the connection was counted when it was accepted
		c.stats.add(func(n *counts) { n.Connections-- })
	}
	p, err := c.readBody(req, c.MaxBody)
	if err != nil {
		return false
	}
	return c.write(ctx, req, c.control(req.Method, req.URL, p.raw))
}

// refuse counts bytes that did not become a request, and answers them unless the client has left.
func (c *conn) refuse(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil: // cut off by us
	case c.source.err != nil:
		c.stats.add(func(n *counts) { n.CutOff++ })
	default:
		c.stats.add(func(n *counts) { n.Malformed++ })
		c.logf("malformed request: %v", err)
		bad := answerWith(http.StatusBadRequest)
		_, _ = c.net.Write(bad.appendAnswer(c.out[:0], "", time.Now(), false, false))
	}
}

// write sends the answer and reports whether the connection goes on.
func (c *conn) write(ctx context.Context, req *http.Request, s step) bool {
	keep := !req.Close && s.stays() && ctx.Err() == nil
	c.out = s.appendAnswer(c.out[:0], req.Method, time.Now(), !req.ProtoAtLeast(1, 1), keep)
	_, err := c.net.Write(c.out)
	return err == nil && keep
}

// perform does what the step says and reports whether the connection goes on.
func (c *conn) perform(ctx context.Context, req *http.Request, s step) bool {
	switch s.kind {
	case kindHang:
		c.hang(ctx, s.hold)
		c.stats.leave()
	case kindReset:
		// With a linger time of zero, close(2) discards the connection and sends an RST (RFC 9293,
		// 3.10.5).
		if tcp, ok := c.raw.(interface{ SetLinger(int) error }); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.raw.Close()
	case kindPartial:
		whole := answerWith(http.StatusOK).appendAnswer(c.out[:0], req.Method, time.Now(), false, true)
		_, _ = c.net.Write(whole[:len(whole)/2]) // ends inside the headers
	case kindAnswer:
		return c.write(ctx, req, s)
	}
	return false // and the connection is closed, in good order unless it is already
}

// hang reads and answers nothing until the client leaves, hold is over (0 = never) or ctx ends.
func (c *conn) hang(ctx context.Context, hold time.Duration) {
	c.busy.Store(false) // closeIdle need not wait for this
	if ctx.Err() != nil {
		return
	}
	if hold > 0 {
		_ = c.net.SetReadDeadline(time.Now().Add(hold))
	}
	_, _ = io.Copy(io.Discard, c.in)
}
