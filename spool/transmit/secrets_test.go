package transmit

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

var confidential = []string{"bearer-s3cret/tok", "headerS3cret", "userS3cret", "queryS3cret", "cGFzczp1c2Vy", "fileS3cret", "proxyS3cret"}

func mustKeepSecrets(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range confidential {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows %q: %.300q", what, secret, text)
		}
	}
}

// chain is everything that an error and its causes say.
func chain(err error) string {
	var b strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&b, "%v %+v %#v\n", err, err, err)
	}
	return b.String()
}

func TestSecretsThatAListenerEchoesAreNotInErrors(t *testing.T) {
	t.Parallel()
	// The listener echoes all it gets: where it can, as it is, as PHP writes JSON, and as Go does.
	echo := func(status string) func(net.Conn, int) {
		return func(c net.Conn, _ int) {
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			dump, _ := httputil.DumpRequest(r, false)
			line := strings.ReplaceAll(strings.ReplaceAll(string(dump), "\r", ""), "\n", " ")
			asJSON, _ := json.Marshal(r.Header)
			asPHP := strings.ReplaceAll(string(asJSON), "/", `\/`)
			// The same again at the end of the excerpt, where any secret may be cut in two.
			text := string(dump) + string(asJSON) + asPHP
			text += strings.Repeat(".", max(0, maxExcerpt-len(text)-30)) + strings.Repeat(" headerS3cret", 4)
			fmt.Fprintf(c, "HTTP/1.1 %s %s\r\nLocation: https://pass:userS3cret@else.where%s#queryS3cret\r\nContent-Length: %d\r\n\r\n%s",
				status, line, r.RequestURI, len(text), text)
		}
	}
	token := writeFile(t, "token", " bearer-s3cret/token \n")
	headers := writeFile(t, "headers", "\nX-File: fileS3cret\r\n\n")
	cfg := Config{
		TokenFile: token,
		Headers:   []string{"X-Api-Key: headerS3cret", "Cookie: session=headerS3cret2; a=b", "@" + headers},
	}
	try := func(what string, cfg Config) {
		tr, err := New(cfg)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer tr.Close()
		mustKeepSecrets(t, "the URL for display", tr.URL())
		v := send(tr, "{}")
		if v.Err == nil {
			t.Errorf("%s was delivered", what)
		}
		mustKeepSecrets(t, what, chain(v.Err))
		mustKeepSecrets(t, what+" (excerpt)", string(v.Excerpt))
		mustBeShowable(t, v)
		if strings.Contains(string(v.Excerpt), "head") {
			t.Errorf("%s shows the beginning of a secret at the end of the excerpt", what)
		}
	}
	for _, status := range []string{"302", "400", "401", "403", "500"} {
		l := listen(t, nil, echo(status))
		with := cfg
		with.URL = "http://pass:userS3cret@" + l.address + "/path?key=queryS3cret&b=queryS3cret%20two"
		try("an echoing "+status, with)
		with.TokenFile = "" // now the user info goes out
		try("an echoing "+status+" with basic authentication", with)
	}

	with := cfg
	with.URL = "http://pass:userS3cret@" + closedPort(t) + "/?key=queryS3cret"
	try("a refused connection", with)
	with.URL = "https://pass:userS3cret@" + closedPort(t) + "/?key=queryS3cret"
	try("a refused connection for TLS", with)
	noise := listen(t, nil, answering("userS3cret queryS3cret\r\n"))
	with.URL = "http://pass:userS3cret@" + noise.address + "/?key=queryS3cret"
	try("noise", with)
	_, config := tlsFor(t, true)
	unknown := listen(t, config, func(net.Conn, int) {})
	with.URL = "https://pass:userS3cret@" + unknown.address + "/?key=queryS3cret"
	try("an unknown certificate", with)
	with.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "server misbehaving", Name: "x", Server: "10.0.0.53"}
	}
	try("a failing lookup", with)
	proxy := listen(t, nil, echo("407"))
	with.URL = "https://pass:userS3cret@listener.test/?key=queryS3cret"
	with.Dial = hosts("proxy.test:80", proxy.address)
	with.Getenv = env("https_proxy", "http://pass:proxyS3cret@proxy.test")
	try("an echoing proxy", with)
	with.URL = "http://pass:userS3cret@listener.test/?key=queryS3cret"
	with.Getenv = env("http_proxy", "http://pass:proxyS3cret@proxy.test")
	try("an echoing plain proxy", with)
}

func TestConfigurationErrorsKeepSecrets(t *testing.T) {
	long := writeFile(t, "long", "fileS3cret two")
	bad := writeFile(t, "bad", "X-Good: fileS3cret\nfileS3cret\nX-Bad: fileS3cret\x01\n: fileS3cret")
	huge := writeFile(t, "huge", strings.Repeat("fileS3cret", 10000))
	for _, c := range []struct {
		name, want string
		cfg        Config
	}{
		{"a bad escape", "two hexadecimal digits", Config{URL: "http://a:userS3cret@h/%userS3cret?queryS3cret"}},
		{"a slash in the password", "cannot be parsed", Config{URL: "http://a:userS3cret/@h:80/"}},
		{"a bad host", "cannot be", Config{URL: "http://a:userS3cret@h h/"}},
		{"a bad port", "the port is not", Config{URL: "http://a:userS3cret@h:99999/?queryS3cret"}},
		{"a bad scheme", "must begin with", Config{URL: "ftp://a:userS3cret@h/?queryS3cret"}},
		{"a control character", "cannot be parsed", Config{URL: "http://a:userS3cret@h/\x1b"}},
		{"a fragment", "a fragment", Config{URL: "http://a:userS3cret@h/#queryS3cret"}},
		{"a header without a colon", "header 1: it is not of the form", Config{Headers: []string{"headerS3cret"}}},
		{"a header with a control character", "the value of X-A holds a control character", Config{Headers: []string{"X-A: headerS3cret\x00"}}},
		{"a header that is reserved", "Content-Length cannot be set", Config{Headers: []string{"Content-Length: headerS3cret"}}},
		{"a bad header file", "line 2: it is not of the form", Config{Headers: []string{"@" + bad}}},
		{"two tokens in a file", "holds more than one token", Config{TokenFile: long}},
		{"a token behind its scheme", "begins with the word Bearer: leave it out, because it is added", Config{TokenFile: writeFile(t, "scheme", "bearer fileS3cret\n")}},
		{"a huge token file", "is larger than 64 KiB", Config{TokenFile: huge}},
		{"a token and an Authorization header", "give one", Config{TokenFile: writeFile(t, "token", "fileS3cret"), Headers: []string{"Authorization: headerS3cret"}}},
	} {
		c.cfg.Getenv = env()
		_, err := New(c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s gives %v, want %q in it", c.name, err, c.want)
		}
		mustKeepSecrets(t, c.name, chain(err))
	}
}

// Nobody escapes a secret so often by accident, and a text that never stops decoding costs time.
func TestATextWithTooManyEscapingsIsNotShown(t *testing.T) {
	var s secrets
	s.add("a secret")
	if got := s.cut("%"+strings.Repeat("25", maxEscapings+1)+"zz", false); got != redacted {
		t.Errorf("it becomes %q", got)
	}
	if got, want := s.cut("100%25 sure", false), "100%25 sure"; got != want {
		t.Errorf("%q becomes %q", want, got)
	}
}

// Secrets are cut out wherever they stand in an answer, and the rest stays readable.
func TestSecretsAreCutOutWhereverTheyStand(t *testing.T) {
	var s secrets
	s.add("short", "short-and-long", "abc", "a/b/c/d")
	s.addHeader("Bearer tokentoken")
	s.addQuery("x=1&key=val%2Fue%20")
	for in, want := range map[string]string{
		"nothing here":              "nothing here",
		"short-and-long and short.": "[redacted] and [redacted].",
		"abc":                       "abc",
		`a\/b\/c\/d`:                "[redacted]",
		"is tokentoken":             "is [redacted]",
		"Bearer of news":            "Bearer of news",
		"val/ue  and val%2Fue%20":   "[redacted] and [redacted]",
	} {
		if got := s.cut(in, false); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if got := s.cut("it ends in tokento", true); got != "it ends in [redacted]" {
		t.Errorf("the beginning of a secret at the end becomes %q", got)
	}
	if got := s.cut("it ends in tok", true); got != "it ends in tok" {
		t.Errorf("three letters at the end become %q", got)
	}
}

// A debug page, a JSON error or a redirect shows a request in the encoding that it needs.
func TestSecretsAreCutOutInEveryEncoding(t *testing.T) {
	const secret = `s3cr+t/ke&y="<x>'`
	var s secrets
	s.add(secret)
	everyByte := func(format string) string {
		var b strings.Builder
		for i := range len(secret) {
			fmt.Fprintf(&b, format, secret[i])
		}
		return b.String()
	}
	asJSON, _ := json.Marshal(secret)
	base := func(e *base64.Encoding, before string) string {
		return e.EncodeToString([]byte(before + secret + " and"))
	}
	deep := secret
	for range maxEscapings {
		deep = url.QueryEscape(deep)
	}
	lines := func(text, end string) string {
		return strings.Join(strings.SplitAfter(text, text[8:9]), end) // a break in the middle of a group, and others
	}
	for _, tt := range []struct{ name, text string }{
		{"as it stands", secret},
		{"HTML by html.EscapeString", html.EscapeString(secret)},
		{"HTML by PHP's htmlentities", "s3cr&plus;t&sol;ke&amp;y&equals;&quot;&lt;x&gt;&apos;"},
		{"HTML in decimal", everyByte("&#%d;")},
		{"HTML in hexadecimal", everyByte("&#x%X;")},
		{"HTML in decimal without semicolons", everyByte("&#%d")},
		{"HTML in hexadecimal without semicolons", everyByte("&#x%x")},
		{"HTML by old names without semicolons", "s3cr+t/ke&ampy=&quot&ltx&gt'"},
		{"a URL's query", url.QueryEscape(secret)},
		{"a URL's path", url.PathEscape(secret)},
		{"a URL with every byte escaped", everyByte("%%%02x")},
		{"a URL in a URL", url.QueryEscape(url.QueryEscape(secret))},
		{"JSON by Go", string(asJSON)},
		{"JSON by PHP", strings.ReplaceAll(string(asJSON), "/", `\/`)},
		{"JSON with every character escaped", everyByte(`\u%04x`)},
		{"a program's text with every byte escaped", everyByte(`\x%02X`)},
		{"a program's text with every character in braces", everyByte(`\u{%x}`)},
		{"a program's text with long escapes", everyByte(`\U%08x`)},
		{"as many escapings as come off", deep},
		{"JSON in HTML", html.EscapeString(string(asJSON))},
		{"JSON in JSON", strconv.Quote(string(asJSON))},
		{"hexadecimal", everyByte("%02x")},
		{"hexadecimal in capitals", everyByte("%02X")},
		{"base64", base(base64.StdEncoding, "")},
		{"base64, a byte before it", base(base64.StdEncoding, "x")},
		{"base64, two bytes before it", base(base64.StdEncoding, "xy")},
		{"base64, as basic authentication", base(base64.StdEncoding, "user:")},
		{"base64 for URLs", base(base64.RawURLEncoding, "xy")},
		{"base64 in a URL", url.QueryEscape(base(base64.StdEncoding, "x"))},
		{"base64 in PHP's JSON", strings.ReplaceAll(base(base64.StdEncoding, "x"), "/", `\/`)},
		{"base64 in lines", lines(base(base64.StdEncoding, "xy"), "\r\n")},
		{"base64 in lines in JSON", lines(base(base64.StdEncoding, "xy"), `\r\n`)},
		{"base64 in a path", "a/" + base(base64.RawURLEncoding, "")},
		{"base64 twice", base64.StdEncoding.EncodeToString([]byte(base(base64.StdEncoding, "x")))},
		{"base64 of JSON", base64.StdEncoding.EncodeToString(asJSON)},
		{"base64 of a URL", base64.StdEncoding.EncodeToString([]byte("x=" + url.QueryEscape(secret)))},
	} {
		// What stands beside the secret stays: quotes, and in base64 the digits of other bytes.
		const around, beside = len("you said , did you?"), len("e" + "IGFuZA%3D%3D")
		got := s.cut("you said "+tt.text+", did you?", false)
		if !strings.Contains(got, redacted) || len(got) > around+len(redacted)+beside {
			t.Errorf("%s: %q becomes %q", tt.name, tt.text, got)
		}
		// Cut anywhere, the text shows no more than a few bytes of the beginning.
		perByte := len(tt.text)/len(secret) + 1
		for n := (leastSecret + 2) * perByte; n < len(tt.text); n++ {
			if got := s.cut("you said "+tt.text[:n], true); !strings.Contains(got, redacted) {
				t.Errorf("%s: cut after %d bytes it becomes %q", tt.name, n, got)
			}
		}
	}
}
