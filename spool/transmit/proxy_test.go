package transmit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// env makes a Getenv of pairs.
func env(pairs ...string) func(string) string {
	values := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return values[name] }
}

// hosts dials names that no resolver knows; loopback names never go through a proxy.
func hosts(pairs ...string) func(context.Context, string, string) (net.Conn, error) {
	known := env(pairs...)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if to := known(address); to != "" {
			return new(net.Dialer).DialContext(ctx, network, to)
		}
		return nil, fmt.Errorf("nobody should dial %s", address)
	}
}

// tunnelTo answers a CONNECT with the right credentials and joins the two connections.
func tunnelTo(address string, asked chan<- string) func(net.Conn, int) {
	return func(c net.Conn, _ int) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		asked <- r.Method + " " + r.RequestURI + " " + r.Header.Get("Proxy-Authorization")
		join(c, address, "HTTP/1.1 200 Connection established\r\n\r\n")
	}
}

func join(c net.Conn, address, answer string) {
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	io.WriteString(c, answer)
	var both sync.WaitGroup
	both.Go(func() { io.Copy(to, c); to.Close() })
	both.Go(func() { io.Copy(c, to); c.Close() })
	both.Wait()
}

const proxyUser = "cHJveHk6cHJveHlwYXNzd29yZA==" // proxy:proxypassword

func TestAPlainProxyGetsTheWholeURL(t *testing.T) {
	got := make(chan *http.Request, 2)
	l := listen(t, nil, func(c net.Conn, _ int) {
		br := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			got <- r
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	tr := newTransmitter(t, Config{
		URL:    "http://listener.test:8080/path?q=1",
		Dial:   hosts("proxy.test:3128", l.address),
		Getenv: env("http_proxy", "http://proxy:proxypassword@proxy.test:3128"),
	})
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	r := <-got
	if r.RequestURI != "http://listener.test:8080/path?q=1" || r.Host != "listener.test:8080" || r.Header.Get("Proxy-Authorization") != "Basic "+proxyUser {
		t.Errorf("the proxy got %s for %s with %v", r.RequestURI, r.Host, r.Header)
	}
	if n := l.accepted.Load(); n != 1 {
		t.Errorf("2 requests took %d connections to the proxy, want 1", n)
	}
}

func TestHTTPSGoesThroughATunnelOfTheProxy(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	cert, _ := ca.issue(t, tomorrow(), "listener.test", "proxy.test")
	_, config := tlsFor(t, true)
	config.Certificates[0] = cert
	var seen http.Header
	l := listen(t, config, func(c net.Conn, _ int) {
		br := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			seen = r.Header
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	for _, secure := range []bool{false, true} {
		asked := make(chan string, 2)
		proxyConfig := config
		if !secure {
			proxyConfig = nil
		}
		proxy := listen(t, proxyConfig, tunnelTo(l.address, asked))
		tr := newTransmitter(t, Config{
			URL: "https://listener.test/path", CAFile: ca.file,
			Dial:   hosts("proxy.test:3128", proxy.address),
			Getenv: env("HTTPS_PROXY", scheme(secure)+"proxy:proxypassword@proxy.test:3128"),
		})
		mustHold(t, send(tr, "{}"), Delivered, 200, "")
		mustHold(t, send(tr, "{}"), Delivered, 200, "")
		if got, want := <-asked, "CONNECT listener.test:443 Basic "+proxyUser; got != want {
			t.Errorf("the proxy was asked %q, want %q", got, want)
		}
		if n := proxy.accepted.Load(); n != 1 {
			t.Errorf("2 requests took %d tunnels, want 1", n)
		}
		if seen.Get("Proxy-Authorization") != "" {
			t.Error("the listener saw the proxy's credentials")
		}
		if d := tr.Probe(context.Background()); steps(d) != "proxy connect tls" || d.NotAfter.IsZero() {
			t.Errorf("the steps through the tunnel are %q", steps(d))
		}
	}
}

func TestRequestsGoThroughASOCKSProxy(t *testing.T) {
	t.Parallel()
	l := listen(t, nil, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	var asked string
	proxy := listen(t, nil, func(c net.Conn, _ int) { // RFC 1928 and 1929, good for one client
		br := bufio.NewReader(c)
		greeting := make([]byte, 2)
		io.ReadFull(br, greeting)
		br.Discard(int(greeting[1]))
		c.Write([]byte{5, 2})
		credentials := make([]byte, 3+len("proxy")+len("proxypassword"))
		io.ReadFull(br, credentials)
		c.Write([]byte{1, 0})
		request := make([]byte, 5)
		io.ReadFull(br, request)
		name := make([]byte, int(request[4])+2)
		io.ReadFull(br, name)
		asked = string(credentials[2:]) + " " + string(name[:len(name)-2])
		join(c, l.address, "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
	})
	tr := newTransmitter(t, Config{
		URL: "http://listener.test/", Dial: hosts("proxy.test:1080", proxy.address),
		Getenv: env("http_proxy", "socks5h://proxy:proxypassword@proxy.test"),
	})
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	if want := "proxy\x0dproxypassword listener.test"; asked != want || proxy.accepted.Load() != 1 {
		t.Errorf("the proxy was asked %q over %d connections, want %q over 1", asked, proxy.accepted.Load(), want)
	}

	refusing := listen(t, nil, func(c net.Conn, _ int) { c.Read(make([]byte, 100)); c.Write([]byte{5, 0xff}) })
	tr = newTransmitter(t, Config{
		URL: "http://listener.test/", Dial: hosts("proxy.test:1080", refusing.address),
		Getenv: env("http_proxy", "socks5://proxy:proxypassword@proxy.test"),
	})
	v := send(tr, "{}")
	mustHold(t, v, Kept, 0, "connecting to the proxy socks5://proxy.test:1080: ")
	if strings.Contains(v.Err.Error(), "proxypassword") {
		t.Errorf("the error shows the password: %q", v.Err)
	}
}

// Nothing in such an answer says whose it is.
func TestAnAnswerByWayOfAProxyNamesTheProxy(t *testing.T) {
	t.Parallel()
	for status, cause := range map[string]Cause{
		"403 Forbidden": Forbidden, "401 Unauthorized": NoCredentials, "407 Proxy Authentication Required": ProxyCredentials,
		"502 Bad Gateway": GatewayFailed,
	} {
		proxy := listen(t, nil, answering("HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n"))
		tr := newTransmitter(t, Config{URL: "http://listener.test/", Getenv: env("http_proxy", "http://"+proxy.address)})
		v := send(tr, "{}")
		mustHold(t, v, Kept, v.Status, "http://listener.test/: answered "+status+" by way of the proxy http://"+proxy.address)
		mustHaveCause(t, v.Err, cause)
	}
}

func TestAFailingProxyIsNamedInTheError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer, err string
		cause       Cause
	}{
		"wants credentials":    {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "opened no tunnel: it answered 407 Proxy Authentication Required to CONNECT", ProxyCredentials},
		"forbids it":           {"HTTP/1.1 403 \x1b[31mNo\r\n\r\n", `it answered 403 \x1b[31mNo to CONNECT`, ProxyRefused},
		"cannot connect":       {"HTTP/1.1 503 Service Unavailable\r\n\r\n", "it answered 503 Service Unavailable to CONNECT", ProxyAtALoss},
		"redirects":            {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "it answered 302 Found to CONNECT", ProxyRefused},
		"closes":               {"", "the proxy http://proxy.test:3128: the connection was closed without an answer", ProxyFailed},
		"is not one":           {"SSH-2.0-OpenSSH_9.9\r\n", "does not begin with", ProxyFailed},
		"sends endless heads":  {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 20000), "larger than 64 KiB", ProxyFailed},
		"talks into a tunnel":  {"HTTP/1.1 200 OK\r\n\r\nhello", "sent something into the tunnel", ProxyFailed},
		"continues for ever":   {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 50), "more than 16 interim", ProxyFailed},
		"echoes what it heard": {"HTTP/1.1 500 " + proxyUser + " proxypassword\r\n\r\n", "it answered 500 [redacted] [redacted] to CONNECT", ProxyRefused},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := listen(t, nil, func(conn net.Conn, _ int) {
				http.ReadRequest(bufio.NewReader(conn))
				io.WriteString(conn, c.answer)
			})
			tr := newTransmitter(t, Config{
				URL: "https://listener.test/", Dial: hosts("proxy.test:3128", proxy.address), Timeout: time.Minute,
				Getenv: env("https_proxy", "proxy:proxypassword@proxy.test:3128"),
			})
			v := send(tr, "{}")
			mustHold(t, v, Kept, 0, c.err)
			mustHaveCause(t, v.Err, c.cause)
			mustBeShowable(t, v)
		})
	}
}

func TestWhichProxyIsChosen(t *testing.T) {
	for _, c := range []struct {
		name, url string
		env       []string
		want      string // display, or what is in the error
	}{
		{"none", "http://a.test", nil, ""},
		{"for http", "http://a.test", []string{"http_proxy", "http://p.test:1"}, "http://p.test:1"},
		{"in capitals", "http://a.test", []string{"HTTP_PROXY", "http://p.test:1"}, "http://p.test:1"},
		{"small letters first", "http://a.test", []string{"http_proxy", "http://p.test:1", "HTTP_PROXY", "http://q.test:1"}, "http://p.test:1"},
		{"not for https", "https://a.test", []string{"http_proxy", "http://p.test:1"}, ""},
		{"for https", "https://a.test", []string{"https_proxy", "https://p.test"}, "https://p.test:443"},
		{"without a scheme", "https://a.test", []string{"https_proxy", "p.test"}, "http://p.test:80"},
		{"without a scheme, with credentials", "https://a.test", []string{"https_proxy", "u:secret@p.test:3128"}, "http://p.test:3128"},
		{"SOCKS", "https://a.test", []string{"https_proxy", "socks5://p.test"}, "socks5://p.test:1080"},
		{"for all", "https://a.test", []string{"all_proxy", "http://p.test:1"}, "http://p.test:1"},
		{"for all, and for https", "https://a.test", []string{"ALL_PROXY", "http://p.test:1", "HTTPS_PROXY", "http://q.test:1"}, "http://q.test:1"},
		{"for all, and no_proxy", "https://a.test", []string{"ALL_PROXY", "http://p.test:1", "no_proxy", "*"}, ""},
		{"for all, in a CGI", "http://a.test", []string{"ALL_PROXY", "http://p.test:1", "REQUEST_METHOD", "GET"}, "http://p.test:1"},
		{"no_proxy", "http://a.test", []string{"http_proxy", "http://p.test:1", "no_proxy", "b.test, a.test"}, ""},
		{"NO_PROXY with a port", "http://a.test:81", []string{"http_proxy", "http://p.test:1", "NO_PROXY", "a.test:82"}, "http://p.test:1"},
		{"localhost", "http://localhost:80", []string{"http_proxy", "http://p.test:1"}, ""},
		{"a loopback address", "http://[::1]:80", []string{"http_proxy", "http://p.test:1"}, ""},
		{"a broken one that does not apply", "http://localhost", []string{"http_proxy", "http://u:secret@%zz"}, ""},
		{"a broken one", "http://a.test", []string{"http_proxy", "http://u:secret@%zz"}, "the environment variable http_proxy is not a proxy's URL: a %"},
		{"a strange scheme", "http://a.test", []string{"HTTP_PROXY", "ftp://u:secret@p.test"}, "HTTP_PROXY is not a proxy's URL: must begin with"},
		{"a strange port", "http://a.test", []string{"http_proxy", "http://u:secret@p.test:99999"}, "is not a proxy's URL: the port"},
		{"in a CGI", "http://a.test", []string{"http_proxy", "http://u:secret@p.test", "REQUEST_METHOD", "GET"}, "REQUEST_METHOD"},
	} {
		tr, err := New(Config{URL: c.url, Getenv: env(c.env...)})
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case tr.proxy != nil:
			got = tr.proxy.display
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || strings.Contains(got, "secret") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
