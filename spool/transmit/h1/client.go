package h1

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// Client makes connections to one peer and keeps idle ones. It is safe for concurrent use; its
// fields are set before the first call.
type Client struct {
	Dial     func(ctx context.Context) (net.Conn, error) // to the peer, or to the proxy before it
	ProxyTLS *tls.Config                                 // nil: the proxy is spoken to without TLS
	Tunnel   []byte                                      // the CONNECT request for a proxy's tunnel; nil: none is needed
	TLS      *tls.Config                                 // nil: the peer is spoken to without TLS
	Sessions Sessions                                    // of TLS with the peer
	MaxIdle  int                                         // idle connections kept; 0 keeps none
	Expect   Field                                       // sets Answer.Expected; without a name, nothing does

	mu      sync.Mutex // guards the fields below; no call is made while it is held
	idle    []*Conn    // the most recently used one last
	closed  bool
	quiet   bool // the peer was silent on a new connection, and has ended none since
	unasked bool // the peer spoke unasked on a new connection
}

// Idle returns a kept connection that is fit for an exchange until limit, or nil.
//
// The most recently used connection comes first. The others grow old and are found closed, as they
// should be when fewer are needed.
func (cl *Client) Idle(limit time.Time) *Conn {
	for {
		c := cl.pop()
		if c == nil || c.fit(limit) {
			return c
		}
		c.Close()
		cl.mu.Lock()
		cl.quiet = false
		cl.mu.Unlock()
	}
}

// Open makes a connection that is ready for an exchange until limit. Its errors are of type *Error.
//
// A peer that does not know a session any more makes a whole handshake instead. A few end the
// connection, or are silent. Sessions are given up then, and a second connection decides.
func (cl *Client) Open(ctx context.Context, limit time.Time) (*Conn, error) {
	c, err := cl.Connect(ctx, limit)
	if err != nil {
		return nil, err
	}
	if err := c.Establish(ctx); err == nil {
		return c, nil
	} else if !c.resumes || ctx.Err() != nil || !time.Now().Before(limit) {
		return nil, err
	}
	return cl.OpenFresh(ctx, limit)
}

// OpenFresh is Open for a connection that resumes no TLS session.
func (cl *Client) OpenFresh(ctx context.Context, limit time.Time) (*Conn, error) {
	c, err := cl.Connect(ctx, limit)
	if err != nil {
		return nil, err
	}
	c.fresh = true
	if err := c.Establish(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// DropIdle closes the idle connections, for a caller that has found one of them dead.
func (cl *Client) DropIdle() {
	cl.mu.Lock()
	idle := cl.idle
	cl.idle, cl.quiet = nil, false
	cl.mu.Unlock()
	for _, c := range idle {
		c.Close()
	}
}

// Close closes the idle connections and keeps none from now on. Exchanges in progress end
// undisturbed.
func (cl *Client) Close() {
	cl.mu.Lock()
	cl.closed = true
	cl.mu.Unlock()
	cl.DropIdle()
}

func (cl *Client) pop() *Conn {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	n := len(cl.idle)
	if n == 0 {
		return nil
	}
	c := cl.idle[n-1]
	cl.idle[n-1] = nil
	cl.idle = cl.idle[:n-1]
	return c
}

func (cl *Client) keep(c *Conn) {
	cl.mu.Lock()
	keep := !cl.closed && len(cl.idle) < cl.MaxIdle
	if keep {
		cl.idle = append(cl.idle, c)
	}
	cl.mu.Unlock()
	if !keep {
		c.Close()
	}
}
