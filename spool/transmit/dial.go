package transmit

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"golang.org/x/net/proxy"
)

// open makes a new connection that is ready for a request. at says what failed.
func (t *Transmitter) open(ctx context.Context, limit time.Time) (c *conn, at stage, err error) {
	raw, err := t.connect(ctx, limit)
	if err != nil {
		return nil, connecting, err
	}
	if err := raw.SetDeadline(limit); err != nil {
		raw.Close()
		return nil, connecting, err
	}
	watch := abortWith(ctx, raw)
	top, at, err := t.establish(raw)
	if !watch.stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		return nil, at, err
	}
	return newConn(raw, top), at, nil
}

// connect makes the TCP connection: to the listener, to the proxy, or to the listener through a SOCKS proxy.
func (t *Transmitter) connect(ctx context.Context, limit time.Time) (net.Conn, error) {
	until := time.Now().Add(t.connectTimeout)
	if until.After(limit) {
		until = limit
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if t.proxy == nil {
		return t.dial(ctx, "tcp", t.target.address())
	}
	if t.proxy.scheme != "socks5" {
		return t.dial(ctx, "tcp", t.proxy.address())
	}

	var auth *proxy.Auth
	if t.proxy.user != nil {
		password, _ := t.proxy.user.Password()
		auth = &proxy.Auth{User: t.proxy.user.Username(), Password: password}
	}
	// The connection itself is kept, not the SOCKS type around it, which hides what the pool asks the connection.
	var raw net.Conn
	keeping := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := t.dial(ctx, network, address)
		raw = c
		return c, err
	}
	socks, err := proxy.SOCKS5("tcp", t.proxy.address(), auth, dialer(keeping))
	if err != nil {
		return nil, err
	}
	if _, err := socks.(proxy.ContextDialer).DialContext(ctx, "tcp", t.target.address()); err != nil {
		return nil, err // and the connection is closed
	}
	return raw, nil
}

// dialer makes a dial function what package proxy asks for.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d(context.Background(), network, address)
}

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// establish puts onto raw what lies between TCP and HTTP: TLS to the proxy, its tunnel, TLS to the listener. Deadlines
// are those of raw; the handshakes have no context, which would cost a goroutine each.
func (t *Transmitter) establish(raw net.Conn) (top net.Conn, at stage, err error) {
	top = raw
	if t.proxy != nil && t.proxy.tls != nil {
		session := tls.Client(top, t.proxy.tls)
		if err := session.Handshake(); err != nil {
			return nil, tunnelling, err
		}
		top = session
	}
	if t.proxy.tunnels(t.target) {
		if err := t.tunnel(top); err != nil {
			return nil, tunnelling, err
		}
	}
	if t.tls != nil {
		session := tls.Client(top, t.tls)
		if err := session.Handshake(); err != nil {
			return nil, securing, err
		}
		top = session
	}
	return top, securing, nil
}

// watch ends what a connection is doing when a context ends. The zero value watches nothing.
type watch struct{ stopFunc func() bool }

// abortWith costs nothing for a context that cannot be cancelled.
func abortWith(ctx context.Context, raw net.Conn) watch {
	if ctx.Done() == nil {
		return watch{}
	}
	return watch{context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })}
}

// stop reports whether the connection is untouched; if not, its deadline may be set to the past at any moment.
func (w watch) stop() bool { return w.stopFunc == nil || w.stopFunc() }
