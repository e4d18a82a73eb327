package transmit

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestNamesOfAnItemStandEncodedInURLAndHeaders(t *testing.T) {
	r := Request{Key: "0a1b", Host: "web 1/é", Name: "a%b\r\n?.json"}
	for _, tt := range []struct{ name, url, header, wantURI, wantHeader string }{
		{"in the path", "http://h/dav/{key}.json", "X: y", "/dav/0a1b.json", "y"},
		{"several in the path", "http://h/{host}/{name}/{key}", "X: y", "/web%201%2F%C3%A9/a%25b%0D%0A%3F.json/0a1b", "y"},
		{"in the query", "http://h/?id={key}&from={host}", "X: y", "/?id=0a1b&from=web%201%2F%C3%A9", "y"},
		{"in the query of an URL without a path", "http://h?id={key}", "X: y", "/?id=0a1b", "y"},
		{"in a header", "http://h/", `X: "{key}"; f={name}`, "/", `"0a1b"; f=a%25b%0D%0A%3F.json`},
		{"beside what is encoded already", "http://h/a%2Fb/{key}?c=%7Bd%7D", "X: y", "/a%2Fb/0a1b?c=%7Bd%7D", "y"},
		{"beside braces that are text", "http://h/?q={}&s={{key}&r={", `X: {"a": {} } {`, "/?q={}&s={0a1b&r={", `{"a": {} } {`},
	} {
		tr, err := New(Config{URL: tt.url, Headers: []string{tt.header}, Getenv: env()})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(tr.appendHead(nil, r, 0))))
		if err != nil || got.RequestURI != tt.wantURI || got.Header.Get("X") != tt.wantHeader {
			t.Errorf("%s: %q and %q, want %q and %q (%v)", tt.name, got.RequestURI, got.Header.Get("X"), tt.wantURI, tt.wantHeader, err)
		}
	}
}

func TestAnUnknownNameInBracesIsAnError(t *testing.T) {
	for _, cfg := range []Config{
		{URL: "http://h/{Key}"}, {URL: "http://h/?id={host-id}&token=s3cret"}, {URL: "http://h/{s3cret}"},
		{Headers: []string{"X: {id}"}}, {Headers: []string{"X: s3cret {1}"}}, {Headers: []string{"Content-Type: {unknown}"}},
	} {
		cfg.Getenv = env()
		_, err := New(cfg)
		if err == nil || !strings.Contains(err.Error(), "not {key}, {host} or {name}") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q %q: %v", cfg.URL, cfg.Headers, err)
		}
	}
	for _, cfg := range []Config{{URL: "http://{host}/"}, {Headers: []string{"Host: {host}"}}, {Headers: []string{"Content-Type: {key}"}}} {
		cfg.Getenv = env()
		if _, err := New(cfg); err == nil {
			t.Errorf("%q %q is taken", cfg.URL, cfg.Headers)
		}
	}
}

// Two items that are PUT under one name are one item in the end, and the other is lost.
func TestAPUTNeedsTheKeyInItsURL(t *testing.T) {
	for url, ok := range map[string]bool{
		"http://h/{key}": true, "http://h/?id={key}": true, "http://h/": false, "http://h/{name}": false, "http://h/{host}": false,
	} {
		tr, err := New(Config{URL: url, Method: "PUT", Getenv: env()})
		if (err == nil) != ok {
			t.Errorf("PUT to %s: %v", url, err)
		}
		if ok && !strings.HasPrefix(string(tr.appendHead(nil, Request{Key: "k"}, 0)), "PUT /") {
			t.Errorf("%s is sent as %q", url, tr.head)
		}
	}
	if _, err := New(Config{Method: "GET", Getenv: env()}); err == nil {
		t.Error("GET is taken for a method")
	}
}

func TestARequestWithoutANameThatItsURLNeedsIsNotSent(t *testing.T) {
	tr := newTransmitter(t, Config{URL: "http://127.0.0.1:1/{name}"})
	mustHold(t, tr.Send(context.Background(), Request{Key: "k"}), Aborted, 0, "holds {name}, and the request has none")
}

func TestAURLWithNamesIsShownAsItWasWritten(t *testing.T) {
	const shown, query = "http://h/a%2Fb/{host}/{key}", "?token=s3cret-{key}"
	if got := Redact(shown + query); got != shown+"?..." {
		t.Errorf("it is shown as %s", got)
	}
	l := listen(t, nil, answering("HTTP/1.1 400 s3cret-0a1b, heads3cret/0a1b\r\nContent-Length: 0\r\n\r\n"))
	tr := newTransmitter(t, Config{URL: l.url() + "/{key}" + query, Headers: []string{"X: heads3cret/{key}"}})
	if v := tr.Send(context.Background(), Request{Key: "0a1b"}); strings.Contains(v.Err.Error(), "s3cret") {
		t.Errorf("the error shows a secret: %v", v.Err)
	}
}

// Whatever a file is called, its name stays in its place and can be read back.
func FuzzNames(f *testing.F) {
	f.Add("a b\r\n/../?#{key}", "é")
	tr := newTransmitter(f, Config{URL: "http://h/x/{name}?n={name}&h={host}", Headers: []string{"X: a {name} b"}})
	f.Fuzz(func(t *testing.T, name, host string) {
		head := tr.appendHead(nil, Request{Name: name, Host: host}, 0)
		got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			t.Fatalf("%q: %v", head, err)
		}
		path, err := url.PathUnescape(strings.TrimPrefix(got.URL.EscapedPath(), "/x/"))
		query := got.URL.Query()
		header, errHeader := url.PathUnescape(got.Header.Get("X"))
		if err != nil || errHeader != nil || path != name || query.Get("n") != name || query.Get("h") != host || header != "a "+name+" b" || len(got.Header) != 4 {
			t.Fatalf("%q and %q are sent as %q", name, host, head)
		}
	})
}
