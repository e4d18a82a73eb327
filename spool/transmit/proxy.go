package transmit

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// proxyServer is the proxy that the environment names for the listener's URL.
type proxyServer struct {
	scheme        string // http, https or socks5
	host, port    string
	user          *url.Userinfo
	authorization string // for HTTP proxies; "" is none
	display       string
}

func (p *proxyServer) address() string { return net.JoinHostPort(p.host, p.port) }

// forwards reports whether requests go to the proxy as they are, instead of through a tunnel.
func (p *proxyServer) forwards(t target) bool {
	return p != nil && p.scheme != "socks5" && !t.secure
}

// tunnels reports whether the proxy has to be asked for a tunnel.
func (p *proxyServer) tunnels(t target) bool {
	return p != nil && p.scheme != "socks5" && t.secure
}

// chooseProxy reads http_proxy, https_proxy and no_proxy, in small or capital letters, by the rules
// of curl and Go: localhost and loopback addresses are never reached through a proxy. It returns
// nil if no proxy is to be used.
func chooseProxy(t target, getenv func(string) string) (*proxyServer, error) {
	either := func(small string) (name, value string) {
		if value = getenv(small); value != "" {
			return small, value
		}
		name = strings.ToUpper(small)
		return name, getenv(name)
	}
	name, value := either(t.scheme() + "_proxy")
	if value == "" {
		return nil, nil
	}
	// Package httpproxy takes a URL that it cannot parse for none, and payloads would take a way
	// that nobody chose. So it is asked only whether a proxy applies, and the URL is read here.
	_, exceptions := either("no_proxy")
	rules := httpproxy.Config{NoProxy: exceptions, CGI: getenv("REQUEST_METHOD") != ""}
	rules.HTTPProxy, rules.HTTPSProxy = "http://any", "http://any"
	applies, err := rules.ProxyFunc()(&url.URL{Scheme: t.scheme(), Host: t.authority})
	if err != nil {
		return nil, fmt.Errorf("the environment variable %s cannot be trusted beside REQUEST_METHOD, "+
			"where a web client may have set it; unset one of them", name)
	}
	if applies == nil {
		return nil, nil
	}
	p, err := parseProxy(value)
	if err != nil {
		return nil, fmt.Errorf("the environment variable %s is not a proxy's URL: %w", name, err)
	}
	return p, nil
}

func parseProxy(raw string) (*proxyServer, error) {
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	p := &proxyServer{scheme: u.Scheme, user: u.User}
	var port string
	switch u.Scheme {
	case "http":
		port = "80"
	case "https":
		port = "443"
	case "socks5", "socks5h": // the name is always resolved by the proxy
		p.scheme, port = "socks5", "1080"
	default:
		return nil, errors.New("must begin with http://, https:// or socks5://")
	}
	if p.host, p.port, err = endpoint(u, port); err != nil {
		return nil, err
	}
	if p.user != nil && p.scheme != "socks5" {
		p.authorization = basic(p.user)
	}
	p.display = p.scheme + "://" + p.address()
	return p, nil
}

// connectRequest asks the proxy for a tunnel to the listener (RFC 9110 section 9.3.6).
func (p *proxyServer) connectRequest(t target) []byte {
	request := "CONNECT " + t.address() + " HTTP/1.1\r\nHost: " + t.address() + "\r\n"
	if p.authorization != "" {
		request += "Proxy-Authorization: " + p.authorization + "\r\n"
	}
	return []byte(request + "\r\n")
}
