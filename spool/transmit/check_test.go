package transmit

import (
	"strings"
	"testing"
	"time"
)

func durationOf(text string) time.Duration {
	d, _ := time.ParseDuration(text)
	return d
}

func checkTimeoutText(text string) error { return CheckTimeout(durationOf(text)) }

func TestTheCheckOfASingleSettingAgreesWithNew(t *testing.T) {
	for _, test := range []struct {
		name, value, problem string // "" is none
		check                func(string) error
		configure            func(string) Config // nil: not a field of Config
	}{
		{"a URL", "http://user:secret@host/x?secret", "", CheckURL, func(s string) Config { return Config{URL: s} }},
		{"a URL of another scheme", "ftp://user:secret@host/", "must begin with http:// or https://", CheckURL, func(s string) Config { return Config{URL: s} }},
		{"a timeout", "1ns", "", checkTimeoutText, func(s string) Config { return Config{Timeout: durationOf(s)} }},
		{"a timeout of nothing", "0s", "must be more than 0", checkTimeoutText, nil}, // Config takes it for its default
		{"a negative timeout", "-1s", "must be more than 0", checkTimeoutText, func(s string) Config { return Config{Timeout: durationOf(s)} }},
		{"a negative connect timeout", "-1s", "must be more than 0", checkTimeoutText, func(s string) Config { return Config{ConnectTimeout: durationOf(s)} }},
		{"a header", "X-A: b", "", CheckHeader, func(s string) Config { return Config{Headers: []string{s}} }},
		{"a header that is managed here", "Expect: secret", "Expect cannot be set", CheckHeader, func(s string) Config { return Config{Headers: []string{s}} }},
		{"a header file", "@/none", "", CheckHeader, nil},
		{"a header file without a name", "@", "the file's name is missing", CheckHeader, nil},
		{"a content type", "text/plain", "", CheckContentType, func(s string) Config { return Config{ContentType: s} }},
		{"a content type of two lines", "text\nX: secret", "control character", CheckContentType, func(s string) Config { return Config{ContentType: s} }},
		{"an exception", "4xx=keep", "", CheckOnStatus, func(s string) Config { return Config{OnStatus: []string{s}} }},
		{"an exception without an action", "404", "CODE=ACTION", CheckOnStatus, func(s string) Config { return Config{OnStatus: []string{s}} }},
		{"a status", "404", "", CheckStatus, nil},
		{"a range of statuses", "4xx", "", CheckStatus, nil},
		{"a status that is not final", "100", "not a final one", CheckStatus, nil},
		{"a compression", "zstd", "", CheckCompress, func(s string) Config { return Config{Compress: s} }},
		{"an unknown compression", "br", "not gzip or zstd", CheckCompress, func(s string) Config { return Config{Compress: s} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			judged := map[string]error{"alone": test.check(test.value)}
			if test.configure != nil {
				cfg := test.configure(test.value)
				cfg.Getenv = env()
				_, judged["by New"] = New(cfg)
			}
			for how, err := range judged {
				switch {
				case test.problem == "" && err != nil:
					t.Errorf("%s: %q gives %v, want no error", how, test.value, err)
				case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
					t.Errorf("%s: %q gives %v, want an error with %q", how, test.value, err, test.problem)
				case err != nil && strings.Contains(err.Error(), "secret"):
					t.Errorf("%s: the error shows a secret: %v", how, err)
				}
			}
		})
	}
}

func TestURLsAreRedactedInOneWay(t *testing.T) {
	for raw, want := range map[string]string{
		"http://user:secret@127.0.0.1:1/x?secret": "http://127.0.0.1:1/x?...",
		"https://host":            "https://host/",
		"http://user:sec/ret@h:1": "(invalid URL)",
		"ftp://user:secret@host/": "(invalid URL)",
	} {
		if got := Redact(raw); got != want {
			t.Errorf("%q is shown as %q, want %q", raw, got, want)
		}
		if tr, err := New(Config{URL: raw, Getenv: env()}); err == nil && tr.URL() != want {
			t.Errorf("a transmitter shows %q as %q, want %q", raw, tr.URL(), want)
		}
	}
	l := listen(t, nil, answering("HTTP/1.1 302 Found\r\nLocation: http://user:secret@127.0.0.1:1/x?secret#secret\r\nContent-Length: 0\r\n\r\n"))
	v := send(newTransmitter(t, Config{URL: l.url()}), "{}")
	if e, want := v.Err.(*Error), "http://127.0.0.1:1/x?..."; e.Location != want {
		t.Errorf("a redirect points to %q, want %q", e.Location, want)
	}
}
