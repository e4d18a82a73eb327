package transmit

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// proxyServer is the proxy between here and the listener.
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

// NoProxy is the word in Config.Proxy for a connection straight to the listener.
const NoProxy = "none"

// chooseProxy returns the proxy for the listener, or nil, and why it is that.
func chooseProxy(cfg Config, t target, getenv func(string) string) (p *proxyServer, why string, err error) {
	switch {
	case cfg.Proxy == NoProxy:
		return nil, "as configured", nil
	case cfg.Proxy != "" && cfg.UnixSocket != "":
		return nil, "", errors.New("there are both a proxy and a Unix socket; give one")
	case cfg.Proxy != "":
		if p, err = parseProxy(cfg.Proxy); err != nil {
			return nil, "", fmt.Errorf("proxy: %w", err)
		}
		return p, "as configured", nil
	case cfg.UnixSocket != "": // nothing goes over the network, which the environment speaks of
		return nil, "", nil
	}
	return proxyOfEnvironment(t, getenv)
}

// proxyOfEnvironment reads http_proxy, https_proxy, all_proxy and no_proxy, in small or capital
// letters, by the rules of curl and Go: localhost and loopback addresses are never reached through
// a proxy.
func proxyOfEnvironment(t target, getenv func(string) string) (p *proxyServer, why string, err error) {
	either := func(small string) (name, value string) {
		if value = getenv(small); value != "" {
			return small, value
		}
		name = strings.ToUpper(small)
		return name, getenv(name)
	}
	name, value := either(t.scheme() + "_proxy")
	// A web client chooses variables that begin with HTTP_ for a program that is a CGI.
	isCGI := value != "" && getenv("REQUEST_METHOD") != ""
	if value == "" {
		name, value = either("all_proxy")
	}
	if value == "" {
		return nil, "", nil
	}
	// Package httpproxy takes a URL that it cannot parse for none, and payloads would take a way
	// that nobody chose. So it is asked only whether a proxy applies, and the URL is read here.
	_, exceptions := either("no_proxy")
	rules := httpproxy.Config{NoProxy: exceptions, CGI: isCGI}
	rules.HTTPProxy, rules.HTTPSProxy = "http://any", "http://any"
	applies, err := rules.ProxyFunc()(&url.URL{Scheme: t.scheme(), Host: t.authority})
	if err != nil {
		return nil, "", fmt.Errorf("the environment variable %s cannot be trusted beside REQUEST_METHOD, "+
			"where a web client may have set it; unset one of them", name)
	}
	if applies == nil {
		return nil, "not that of the environment variable " + name + ": the listener is in no_proxy, or on this host", nil
	}
	if p, err = parseProxy(value); err != nil {
		return nil, "", fmt.Errorf("the environment variable %s is not a proxy's URL: %w", name, err)
	}
	return p, "as the environment variable " + name + " says", nil
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
