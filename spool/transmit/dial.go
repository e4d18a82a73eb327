package transmit

import (
	"context"
	"net"
	"time"

	"golang.org/x/net/proxy"
)

// connect makes the TCP connection: to the listener, to the proxy, or to the listener through a SOCKS
// proxy.
func (t *Transmitter) connect(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithDeadline(ctx, time.Now().Add(t.connectTimeout))
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
	// The connection itself is kept. The SOCKS type around it hides what is asked of a TCP connection.
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
