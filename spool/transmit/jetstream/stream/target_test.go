package stream

import (
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	for _, test := range []struct{ url, shown, wrong string }{
		{"nats://a:4222,b:4222/ORDERS.new", "nats://a:4222,b:4222/ORDERS.new", ""},
		{"NATS://me:word@a,b/{host}.{key}", "nats://a,b/{host}.{key}", ""},
		{"tls://[::1]:4222/S", "tls://[::1]:4222/S", ""},
		{"wss://a/S", "wss://a/S", ""},
		{"http://a/S", "", "must begin with nats://"},
		{"nats://a", "", "the subject is missing"},
		{"nats://a/", "", "the subject is missing"},
		{"nats:///S", "", "a server is missing"},
		{"nats://a,,b/S", "", "a server is missing"},
		{"nats://a:0/S", "", "port"},
		{"nats://me:wo/rd@a/S", "", "write special characters as %2F"},
		{"nats://me:word@a,me:word@b/S", "", "stand once"},
		{"nats://a/S.", "", "dot"},
		{"nats://a/S..x", "", "dot"},
		{"nats://a/S.*", "", "wildcard"},
		{"nats://a/S.>", "", "wildcard"},
		{"nats://a/S x", "", "space"},
		{"nats://a/S/x", "", "slash"},
		{"nats://a/$JS.API", "", "belong to the server"},
		{"nats://a/S.{hots}", "", "not {key}, {host} or {name}"},
	} {
		err := Check(test.url)
		switch {
		case test.wrong == "" && err != nil:
			t.Errorf("%s is refused: %v", test.url, err)
		case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
			t.Errorf("the error of %s is %v, want %q", test.url, err, test.wrong)
		case test.wrong == "" && Redact(test.url) != test.shown:
			t.Errorf("%s is shown as %s, want %s", test.url, Redact(test.url), test.shown)
		case test.wrong != "" && Redact(test.url) != "(invalid URL)":
			t.Errorf("%s is shown as %s", test.url, Redact(test.url))
		}
	}
}
