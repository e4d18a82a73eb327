package transmit

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/proxy"
)

// connect makes the connection: to a Unix socket, or over TCP to the listener, to the proxy, or to
// the listener through a SOCKS proxy.
func (t *Transmitter) connect(ctx context.Context) (net.Conn, error) {
	switch {
	case t.socket != "":
		return t.dialSocket(ctx)
	case t.proxy == nil:
		return t.dialTCP(ctx, t.target.host, t.target.port)
	case t.proxy.scheme != "socks5":
		return t.dialTCP(ctx, t.proxy.host, t.proxy.port)
	}
	var auth *proxy.Auth
	if t.proxy.user != nil {
		password, _ := t.proxy.user.Password()
		auth = &proxy.Auth{User: t.proxy.user.Username(), Password: password}
	}
	// The TCP connection itself is kept, because the SOCKS type around it hides its methods.
	var raw net.Conn
	keeping := func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := t.dialTCP(ctx, t.proxy.host, t.proxy.port)
		raw = c
		return c, err
	}
	socks, err := proxy.SOCKS5("tcp", t.proxy.address(), auth, dialFunc(keeping))
	if err != nil {
		return nil, err
	}
	if _, err := socks.(proxy.ContextDialer).DialContext(ctx, "tcp", t.target.address()); err != nil {
		return nil, err // and the connection is closed
	}
	return raw, nil
}

func (t *Transmitter) dialSocket(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.connectTimeout)
	defer cancel()
	path := t.socket
	if strings.HasPrefix(path, "@") { // which package net takes for a name without a file
		path = "./" + path
	}
	return new(net.Dialer).DialContext(ctx, "unix", path)
}

func (t *Transmitter) dialTCP(ctx context.Context, host, port string) (net.Conn, error) {
	if t.dialer == nil {
		ctx, cancel := context.WithDeadline(ctx, time.Now().Add(t.connectTimeout))
		defer cancel()
		return t.dial(ctx, "tcp", net.JoinHostPort(host, port))
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	return t.dialer.dial(ctx, host, uint16(n))
}

// dialFunc makes a dial function what package proxy asks for.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (d dialFunc) Dial(network, address string) (net.Conn, error) {
	return d(context.Background(), network, address)
}

func (d dialFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}
