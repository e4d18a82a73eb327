package h1

import "time"

// How long a new connection is watched: twice the time that connecting took, within these bounds. A
// peer that speaks first is heard one round trip after the connection is there, which is what
// connecting takes, and the time later that it needs to begin: 0.3 ms, and at most 0.5 ms, for a
// listener that starts a thread for each connection (Python over loopback, idle machine).
const (
	minWatch = 2 * time.Millisecond
	maxWatch = 10 * time.Millisecond
)

// watch gives a peer that speaks unasked the time to be heard, before a request is sent for whose
// answer its words would be taken. It returns nil if there was nothing to read: no byte, no end, no
// reset.
//
// The client's first connection is watched, and so is the next one after a kept connection was
// found dead, because a peer that answers without reading resets its connections. If a watched one
// stays quiet, the following ones are only looked at: a listener that closes each connection after
// its answer would otherwise be slowed down. All are watched if none are kept, which is what one
// asks for who does not trust the peer. Once it has spoken unasked, all are watched for longer.
func (c *Conn) watch() error {
	cl := c.client
	cl.mu.Lock()
	quiet, unasked := cl.quiet, cl.unasked
	cl.mu.Unlock()
	var err error
	switch {
	case unasked:
		err = c.lookFor(maxWatch)
	case quiet && cl.MaxIdle > 0:
		err = c.look()
	default:
		err = c.lookFor(min(max(2*c.connecting, minWatch), maxWatch))
	}
	cl.mu.Lock()
	cl.quiet = cl.quiet || err == nil
	cl.unasked = cl.unasked || err == ErrUnasked
	cl.mu.Unlock()
	return err
}

// lookFor is look, but waits for something to read.
func (c *Conn) lookFor(wait time.Duration) error {
	until := time.Now().Add(wait)
	if until.After(c.limit) {
		until = c.limit
	}
	// Only the deadline of reads is moved. If the context ends meanwhile, that of writes has passed
	// and no request leaves.
	if err := c.socket.SetReadDeadline(until); err != nil {
		return err
	}
	_, err := c.in.Peek(1)
	c.socket.looked = false
	switch {
	case err == nil:
		return ErrUnasked
	case isTimeout(err):
		return c.socket.SetReadDeadline(c.limit)
	}
	return err
}
