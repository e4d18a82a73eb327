package h1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

const (
	// smallBody is the largest body that is copied behind the head, so that both leave in one write
	// and in one TLS record (16 KiB).
	smallBody = 14 << 10

	// grace is how much longer an answer may take when the time is up and it may have come long
	// ago: the peer stopped reading the request, or this process was stopped.
	grace = 100 * time.Millisecond
)

// Conn is one connection. It has one user at a time.
type Conn struct {
	client  *Client
	socket  socket
	top     net.Conn      // what HTTP is read from: the socket, or TLS on it
	out     io.Writer     // what HTTP is written to: the TCP connection itself, or TLS on it
	in      *bufio.Reader // of top
	session *tls.Conn     // with the peer; nil without TLS
	fresh   bool          // no earlier TLS session is offered to the peer
	resumes bool          // one is; after the handshake: the peer has taken it
	head    []byte        // the request's head, and a small body
	parts   [2][]byte     // backing of vector
	vector  net.Buffers
	one     [1]byte
	reused  bool   // it has carried an exchange
	trial   *Trial // nil: its exchanges are quick ones

	connecting time.Duration // how long it took
	limit      time.Time     // of the first exchange

	// stopAbort unties the connection from the context of the present call; nil if it is not tied.
	stopAbort func() bool
}

func newConn(cl *Client, raw net.Conn) *Conn {
	c := &Conn{client: cl, socket: socket{Conn: raw}, out: raw}
	c.socket.peek.init(raw)
	c.top = &c.socket
	c.in = bufio.NewReaderSize(c.top, 4<<10)
	return c
}

// Reused reports whether the connection has carried an exchange before the present one.
func (c *Conn) Reused() bool { return c.reused }

// Resumed reports whether the connection has resumed a TLS session and carried no exchange yet.
func (c *Conn) Resumed() bool { return c.resumes && !c.reused }

// RemoteAddr is the address at the other end of the TCP connection.
func (c *Conn) RemoteAddr() net.Addr { return c.socket.RemoteAddr() }

// TLS is the session with the peer, or nil.
func (c *Conn) TLS() *tls.Conn { return c.session }

// Buffer returns an empty buffer to build a request's head in; the connection keeps it from one
// exchange to the next.
func (c *Conn) Buffer() []byte { return c.head[:0] }

// fit reports whether an idle connection may carry another exchange, and sets its deadline. If the
// peer has closed it in the meantime, an exchange would fail and say nothing. If bytes are waiting
// that nobody asked for, an exchange could do harm: they may be a second answer to the previous
// request, and would be taken for the answer to the next.
//
// The look costs one poll call.
func (c *Conn) fit(limit time.Time) bool {
	return c.socket.SetDeadline(limit) == nil && c.look() == nil
}

// look returns nil when there is nothing to read: no byte, no end, no reset. It does not wait.
func (c *Conn) look() error {
	if c.in.Buffered() > 0 {
		return ErrUnasked
	}
	if c.top == net.Conn(&c.socket) && c.socket.peek.silent() {
		return nil
	}
	// A TLS session may hold a record of its own, such as a ticket, or bytes that came together
	// with the last answer.
	c.socket.noWait = true
	n, err := c.top.Read(c.one[:])
	c.socket.noWait = false
	switch {
	case n > 0:
		return ErrUnasked
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	}
	return err
}

// RoundTrip writes a request and reads the head of its answer. Cancelling ctx aborts it; a context
// that cannot be cancelled costs nothing. After an error, which is of type *Error, the connection
// is closed; otherwise it is the caller's until [Conn.Finish].
func (c *Conn) RoundTrip(ctx context.Context, head, body []byte, a *Answer) error {
	c.head = head
	c.abortWith(ctx)
	if err := c.roundTrip(ctx, body, a); err != nil {
		c.Fail()
		return err
	}
	return nil
}

func (c *Conn) roundTrip(ctx context.Context, body []byte, a *Answer) error {
	// Bytes that are here before the request cannot be its answer, and after the end of the
	// connection none can come. A kept connection has been looked at.
	if !c.reused {
		if err := c.watch(); err != nil {
			return &Error{Stage: Receiving, Err: err, Unsent: true, Ended: isGone(err)}
		}
	}
	c.socket.looked = false
	n, writeErr := c.write(body)
	switch {
	case writeErr == nil:
	case ctx.Err() != nil || !isTimeout(writeErr) && !isGone(writeErr) || c.reused && n == 0 && isGone(writeErr):
		return &Error{Stage: Sending, Err: writeErr, Unsent: n == 0, Ended: isGone(writeErr)}
	case isTimeout(writeErr):
		c.socket.SetReadDeadline(time.Now().Add(grace))
	}
	if c.client.MaxIdle == 1 { // then no other exchange is under way that could use the thread
		c.socket.peek.await()
	}
	// A peer that refuses a request early answers, closes, and resets what is still being written.
	// The answer is there to be read.
	*a = Answer{expect: c.client.Expect}
	err := a.read(c.in)
	if err == nil {
		a.Partial = writeErr != nil
		return nil
	}
	e := &Error{Stage: Receiving, Err: err, Unsent: writeErr != nil && n == 0, Ended: !a.began && isGone(err)}
	if writeErr != nil && (isGone(err) || isTimeout(err)) {
		e.Stage, e.Err = Sending, writeErr
	}
	return e
}

// write sends the head and body, and reports how many bytes of both were taken before an error.
func (c *Conn) write(body []byte) (int64, error) {
	if len(body) <= smallBody {
		c.head = append(c.head, body...)
		n, err := c.out.Write(c.head)
		return int64(n), err
	}
	c.parts = [2][]byte{c.head, body}
	c.vector = c.parts[:]
	n, err := c.vector.WriteTo(c.out)
	c.parts = [2][]byte{}
	return n, err
}

// Finish returns the first bytes of the body, up to the capacity of excerpt. The client keeps the
// connection if the next answer is certain to begin where this one ended; otherwise it is closed.
func (c *Conn) Finish(a *Answer, excerpt []byte) []byte {
	if c.trial != nil {
		return c.finishTrial(a, excerpt)
	}
	excerpt, clean := a.readBody(c.in, excerpt)
	if untouched := c.disarm(); untouched && clean && !a.Partial && c.in.Buffered() == 0 {
		c.reused = true
		c.client.keep(c)
	} else {
		c.Close()
	}
	return excerpt
}

// Close drops the connection without a TLS goodbye, which can block for seconds when the peer does
// not read.
func (c *Conn) Close() { c.socket.Close() }

// Fail closes a connection whose exchange has failed. If that was the first one on a resumed TLS
// session, the session may be the reason, and no connection resumes one any more.
func (c *Conn) Fail() {
	c.disarm()
	if c.Resumed() {
		c.client.Sessions.fail()
	}
	c.Close()
}

// abortWith ends what the connection is doing when ctx ends.
func (c *Conn) abortWith(ctx context.Context) {
	if ctx.Done() != nil {
		c.stopAbort = context.AfterFunc(ctx, func() { c.socket.SetDeadline(time.Unix(1, 0)) })
	}
}

// disarm takes abortWith back, and reports whether the connection is untouched. If not, its
// deadline may be set to the past at any moment.
func (c *Conn) disarm() bool {
	stop := c.stopAbort
	c.stopAbort = nil
	return stop == nil || stop()
}
