package jetstream

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// connectError is why a server could not be used.
type connectError struct {
	server int      // its place in the URL
	stage  h1.Stage // how far it came
	err    error
}

func (e *connectError) Error() string { return e.err.Error() }
func (e *connectError) Unwrap() error { return e.err }

// connected returns the connection for the next request, and makes it if there is none. One request
// makes it, and those that come meanwhile wait for that.
func (t *Transmitter) connected(ctx context.Context) (*link, error) {
	if l := t.current(); l != nil {
		return l, nil
	}
	select {
	case t.connecting <- struct{}{}:
		defer func() { <-t.connecting }()
	case <-ctx.Done():
		return nil, &connectError{stage: h1.Connecting, err: ctx.Err()}
	}
	if l := t.current(); l != nil {
		return l, nil
	}
	l, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.link = l
	t.mu.Unlock()
	return l, nil
}

// current returns the connection if it can be used.
func (t *Transmitter) current() *link {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.link == nil || t.link.isLost() {
		return nil
	}
	return t.link
}

// connect tries the servers in random order, so that a fleet spreads over them. Of the failures, it
// returns that of the server with which it came furthest, which tells most.
func (t *Transmitter) connect(ctx context.Context) (*link, error) {
	var worst *connectError
	for _, i := range rand.Perm(len(t.target.Servers)) {
		l, err := t.open(ctx, i)
		if err == nil {
			return l, nil
		}
		if worst == nil || err.stage > worst.stage || err.stage == worst.stage && err.server < worst.server {
			worst = err
		}
		if ctx.Err() != nil || transmit.OutOfResources(err) {
			return nil, err
		}
	}
	return nil, worst
}

// open connects to one server.
func (t *Transmitter) open(ctx context.Context, i int) (*link, *connectError) {
	s := t.target.Servers[i]
	ctx, cancel := context.WithTimeout(ctx, 2*t.connectTimeout) // to connect, and to be let in
	defer cancel()
	d := dialer{ctx: ctx, base: t.base, server: s}
	l := &link{waiting: make(map[string]waiter)}
	o := t.options
	o.Url = (&url.URL{Scheme: t.target.Scheme, Host: s.String()}).String()
	o.CustomDialer, o.SkipHostLookup = &d, true
	o.AsyncErrorCB = func(_ *nats.Conn, _ *nats.Subscription, err error) { l.failed(err) }
	o.ClosedCB = func(nc *nats.Conn) { l.lose(nc.LastError()) }
	var err error
	l.nc, err = o.Connect()
	switch {
	case d.err != nil:
		return nil, &connectError{i, h1.Connecting, d.err}
	case err != nil && ctx.Err() != nil: // it closed the connection under the library
		return nil, &connectError{i, h1.Receiving, ctx.Err()}
	case err != nil && (errors.Is(err, nats.ErrTLS) || errors.Is(err, nats.ErrSecureConnWanted)):
		return nil, &connectError{i, h1.Securing, err}
	case err != nil:
		return nil, &connectError{i, h1.Receiving, err}
	}
	l.raw = d.conn
	if err := l.listen(ctx); err != nil {
		l.close()
		return nil, &connectError{i, h1.Receiving, cmp.Or(ctx.Err(), err)} // the end of ctx closes the connection
	}
	d.stop()
	return l, nil
}

// dialer makes the TCP connection for the library, in the way of package transmit. It ends what the
// library does with it when the time is up: connecting there knows no context.
type dialer struct {
	ctx    context.Context
	base   *transmit.Base
	server stream.Address
	conn   net.Conn
	stop   func() bool // watching ctx
	err    error
}

func (d *dialer) Dial(_, _ string) (net.Conn, error) {
	d.conn, d.err = d.base.DialContext(d.ctx, d.server.Host, strconv.Itoa(int(d.server.Port)))
	if d.err != nil {
		return nil, d.err
	}
	d.stop = context.AfterFunc(d.ctx, func() { d.conn.Close() })
	return d.conn, nil
}
