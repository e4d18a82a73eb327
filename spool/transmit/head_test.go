package transmit

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

func TestAURLBecomesAddressHostPathAndARedactedForm(t *testing.T) {
	for _, c := range []struct{ url, address, authority, path, display string }{
		{"http://h", "h:80", "h", "/", "http://h/"},
		{"https://h", "h:443", "h", "/", "https://h/"},
		{"HTTP://H:8080/P", "h:8080", "h:8080", "/P", "http://h:8080/P"},
		{"http://h:80/", "h:80", "h:80", "/", "http://h:80/"},
		{"http://h:/x", "h:80", "h", "/x", "http://h/x"},
		{"http://u:p@h/x?y=z", "h:80", "h", "/x?y=z", "http://h/x?..."},
		{"http://h/x?", "h:80", "h", "/x?", "http://h/x?..."},
		{"http://h?y", "h:80", "h", "/?y", "http://h/?..."},
		{"http://h/a%2Fb/%C3%BC", "h:80", "h", "/a%2Fb/%C3%BC", "http://h/a%2Fb/%C3%BC"},
		{"http://h/a b/ü", "h:80", "h", "/a%20b/%C3%BC", "http://h/a%20b/%C3%BC"},
		{"http://[::1]:8080/", "[::1]:8080", "[::1]:8080", "/", "http://[::1]:8080/"},
		{"http://[::1]", "[::1]:80", "[::1]", "/", "http://[::1]/"},
		{"http://[fe80::1%25eth0]:8080/", "[fe80::1%eth0]:8080", "[fe80::1]:8080", "/", "http://[fe80::1]:8080/"},
		{"http://bücher.example/", "xn--bcher-kva.example:80", "xn--bcher-kva.example", "/", "http://xn--bcher-kva.example/"},
		{"http://under_score.example./", "under_score.example.:80", "under_score.example.", "/", "http://under_score.example./"},
		{"", "localhost:8080", "localhost:8080", "/api/profiling", "http://localhost:8080/api/profiling"},
	} {
		tr := newTransmitter(t, Config{URL: c.url})
		got := tr.target
		if got.address() != c.address || got.authority != c.authority || got.path.String() != c.path || tr.URL() != c.display {
			t.Errorf("%q becomes %q %q %q %q, want %q", c.url, got.address(), got.authority, got.path, tr.URL(), c)
		}
	}
	for url, want := range map[string]string{
		"localhost:8080":       "must begin with http:// or https://",
		"//h/":                 "must begin with",
		"unix:///run/x":        "must begin with",
		"http:h":               "the host is missing",
		"http:///x":            "the host is missing",
		"http://:80/":          "cannot be in one",
		"http://h:0/":          "the port",
		"http://h:65536/":      "the port",
		"http://h:http/":       "cannot be parsed",
		"http://h/#x":          "a fragment",
		"http://h/?a b":        "must be percent-encoded",
		"http://h/?ü":          "must be percent-encoded",
		"http://h/%":           "two hexadecimal digits",
		"http://h\"/":          "cannot be",
		"http://h/\r\nX: y":    "cannot be parsed",
		"http://[::1/":         "cannot be parsed",
		"http://[::x]/":        "cannot be parsed",
		"http://[::1%25e h]/":  "cannot be in one",
		"http://[::1%25e;h]/":  "not an IPv6 address",
		"http://a%0d%0ab/":     "",
		"http://h\x00/":        "",
		"http://h/ HTTP/1.1\n": "",
	} {
		if _, err := New(Config{URL: url, Getenv: env()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want an error with %q", url, err, want)
		}
	}
}

func TestConfiguredHeadersAreInTheRequestInOrder(t *testing.T) {
	file := writeFile(t, "headers", "X-A: 1\r\n\r\n\tX-B:2\nX-C: with: colons\n")
	tr := newTransmitter(t, Config{URL: "http://h/", Headers: []string{"@" + file, "Host: other.test:1", "user-agent: me", "Authorization: Digest x", "X-Empty:"}})
	want := "POST / HTTP/1.1\r\nHost: other.test:1\r\nUser-Agent: me\r\nAuthorization: Digest x\r\nX-A: 1\r\nX-B: 2\r\nX-C: with: colons\r\nX-Empty: \r\n"
	if tr.head.String() != want {
		t.Errorf("the head is %q, want %q", tr.head, want)
	}
	for name := range reserved {
		if _, err := parseHeaders([]string{strings.ToUpper(name) + ": x"}); err == nil || !strings.Contains(err.Error(), "cannot be set: ") {
			t.Errorf("%s gives %v, want that it cannot be set", name, err)
		}
	}
	for header, want := range map[string]string{
		"X-A":              "header 1: it is not of the form",
		": x":              "not of the form",
		"X A: x":           "not of the form",
		"X-Ü: x":           "not of the form",
		"X-A: a\r\nX-B: b": "the value of X-A holds a control character",
		"Host: a b":        "the value of Host is not a host name",
		"Host:":            "the value of Host is not a host name",
		"@/none":           "header file: open /none: ",
		"@/":               "header file: read /: is a directory",
	} {
		if _, err := New(Config{Headers: []string{header}, Getenv: env()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q in it", header, err, want)
		}
	}
}

func TestEveryProblemIsReported(t *testing.T) {
	_, err := New(Config{
		URL: "http://h", ConnectTimeout: -1, Timeout: -1, UserAgent: "a\nb", ContentType: "a\nb", Headers: []string{"x", "Upgrade: x"},
		TokenFile: "/none", CAFile: "/none", OnStatus: []string{"x"}, Compress: "br", Getenv: env("http_proxy", "ftp://x"),
	})
	for _, want := range []string{
		"connect timeout: must be more than 0", "timeout: must be more than 0", "the user agent holds", "the content type holds",
		"header 1: ", "header 2: Upgrade cannot be set", "token file: open /none", "certificates", "on-status \"x\"",
		"compression \"br\" is not gzip or zstd", "http_proxy is not a proxy's URL",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
	if _, err = New(Config{TokenFile: writeFile(t, "token", " \n"), Getenv: env()}); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty token file gives %v", err)
	}
	if _, err = New(Config{Compress: "gzip", Headers: []string{"Content-Encoding: br"}, Getenv: env()}); err == nil || !strings.Contains(err.Error(), "give one") {
		t.Errorf("two encodings give %v", err)
	}
}

// With every configuration that is accepted, the head is one request with the headers it should
// have.
func FuzzHead(f *testing.F) {
	f.Add("http://u:p@h:1/a?b", "X-A: b", "key", "text/plain")
	f.Add("https://[::1]/", "Host: x", `"\`, "")
	f.Fuzz(func(t *testing.T, url, line, key, contentType string) {
		if strings.HasPrefix(line, "@") {
			return
		}
		r := Request{Key: key, ContentType: contentType}
		tr, err := New(Config{URL: url, Headers: []string{line}, Getenv: env()})
		if err != nil || r.check(literal("")) != nil {
			return
		}
		text := tr.appendHead(nil, r, 5)
		br := bufio.NewReader(bytes.NewReader(append(text, "12345"...)))
		got, err := http.ReadRequest(br)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got.Method != "POST" || got.ContentLength != 5 || len(got.Header) > 6 || (key != "") != (len(got.Header["Idempotency-Key"]) == 1) {
			t.Fatalf("%q is read as %+v", text, got)
		}
	})
}
