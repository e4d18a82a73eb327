package h1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"time"
)

// Connect makes the connection alone. [Conn.Establish] makes it ready for an exchange.
func (cl *Client) Connect(ctx context.Context, limit time.Time) (*Conn, error) {
	dialling, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	begin := time.Now()
	raw, err := cl.Dial(dialling)
	if err != nil {
		return nil, &Error{Stage: Connecting, Err: err}
	}
	if err := raw.SetDeadline(limit); err != nil {
		raw.Close()
		return nil, &Error{Stage: Connecting, Err: err}
	}
	c := newConn(cl, raw)
	c.connecting, c.limit = time.Since(begin), limit
	return c, nil
}

// Establish puts onto the connection what lies between TCP and HTTP: TLS to the proxy, its tunnel,
// TLS to the peer. After an error the connection is closed.
func (c *Conn) Establish(ctx context.Context) error {
	c.abortWith(ctx)
	stage, err := c.establish()
	if !c.disarm() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.Close()
		return &Error{Stage: stage, Err: err}
	}
	return nil
}

// The handshakes keep the connection's deadline. A context would cost a goroutine for each.
func (c *Conn) establish() (Stage, error) {
	if c.client.ProxyTLS != nil {
		if err := c.secure(c.client.ProxyTLS); err != nil {
			return Tunnelling, err
		}
	}
	if c.client.Tunnel != nil {
		if err := c.tunnel(); err != nil {
			return Tunnelling, err
		}
	}
	if c.client.TLS != nil {
		if err := c.securePeer(); err != nil {
			return Securing, err
		}
	}
	c.in.Reset(c.top)
	return Securing, nil
}

// securePeer makes the handshake with the peer. One that resumes a session has half of the time, so
// that a whole one can follow it.
func (c *Conn) securePeer() error {
	sessions := &c.client.Sessions
	r := sessions.begin(c.fresh)
	c.resumes = r.offered != nil
	// Only the deadline of reads is moved. If the context has ended before that, the deadline of
	// writes has passed, and the handshake begins with a write.
	if c.resumes {
		if err := c.socket.SetReadDeadline(time.Now().Add(time.Until(c.limit) / 2)); err != nil {
			return err
		}
	}
	if err := c.secure(r.configFor(c.client.TLS)); err != nil {
		if c.resumes {
			sessions.fail()
		}
		return err
	}
	c.session = c.top.(*tls.Conn)
	c.resumes = c.session.ConnectionState().DidResume
	return c.socket.SetReadDeadline(c.limit)
}

func (c *Conn) secure(config *tls.Config) error {
	session := tls.Client(c.top, config)
	if err := session.Handshake(); err != nil {
		return err
	}
	c.top, c.out = session, session
	return nil
}

// tunnel asks the proxy for a connection to the peer (RFC 9110 section 9.3.6).
func (c *Conn) tunnel() error {
	if _, err := c.out.Write(c.client.Tunnel); err != nil {
		return err
	}
	in := bufio.NewReader(c.top)
	var a Answer
	if err := a.read(in); err != nil {
		return err
	}
	if !a.good() {
		return &Refusal{a.Status, a.Reason}
	}
	if in.Buffered() > 0 {
		return errors.New("the proxy sent something into the tunnel before the listener was asked")
	}
	return nil
}
