package jetstream

import (
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

func TestInspectingAsksForTheStreamAndPublishesNothing(t *testing.T) {
	s := startServer(t, &fakeServer{message: func(c *client, m message) {
		switch m.Subject {
		case "$JS.API.STREAM.NAMES":
			c.answer(m, `{"total":1,"streams":["ORDERS"]}`)
		case "$JS.API.STREAM.INFO.ORDERS":
			c.answer(m, `{"config":{"name":"ORDERS","subjects":["ORDERS.>"],"storage":"file","num_replicas":3,"duplicate_window":120000000000,
				"discard":"new","discard_new_per_subject":true,"max_msgs_per_subject":1},"cluster":{"leader":"n1","replicas":[{"name":"n2","offline":true}]}}`)
		}
	}})
	tr := newTransmitter(t, Config{URL: "nats://127.0.0.1:1," + s.address + "/ORDERS.x{host}.{key}"})
	got := tr.Inspect(t.Context())
	if got.Err != nil || len(got.Streams) != 1 || len(got.Servers) != 2 {
		t.Fatalf("it found %+v", got)
	}
	if up := got.Servers[1]; got.Servers[0].Err == nil || up.Err != nil || up.Version != "2.15.2" || up.MaxPayload != 1<<20 {
		t.Errorf("the servers are %+v", got.Servers)
	}
	stream := got.Streams[0]
	if c := stream.Config; c.Name != "ORDERS" || c.Replicas != 3 || c.Window != 2*time.Minute || c.Storage != "file" || !stream.Cluster.Replicas[0].Offline {
		t.Errorf("the stream is %+v", stream)
	}
	if !tr.Target().KnowsKeys(stream) || !stream.Takes(tr.Target().Pattern()) || tr.Target().Pattern() != "ORDERS.*.*" {
		t.Errorf("it does not know keys, or does not take %s", tr.Target().Pattern())
	}
	for _, m := range s.got() {
		if !strings.HasPrefix(m.Subject, "$JS.API.") {
			t.Errorf("it published to %s", m.Subject)
		}
	}
	if body := s.got()[0].Body; body != `{"subject":"ORDERS.*.*"}` {
		t.Errorf("it asked for %s", body)
	}
}

func TestAStreamThatCannotBeAskedForIsNotKnown(t *testing.T) {
	for _, test := range []struct {
		name, says string
		message    func(c *client, m message)
	}{
		{"a user who may not ask", "the user may not ask $JS.API.STREAM.NAMES", func(c *client, m message) {
			c.say("-ERR 'Permissions Violation for Publish to %q'\r\n", m.Subject)
		}},
		{"a server without JetStream", "nobody answers for JetStream", (*client).noResponders},
		{"an account without JetStream", "not enabled for account", func(c *client, m message) {
			c.answer(m, `{"error":{"code":503,"err_code":10039,"description":"JetStream not enabled for account"}}`)
		}},
		{"an answer that is not JSON", "invalid character", func(c *client, m message) { c.answer(m, "yes") }},
		{"no answer", "deadline", func(*client, message) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startServer(t, &fakeServer{message: test.message})
			got := newTransmitter(t, Config{URL: s.url("S"), Timeout: time.Second}).Inspect(t.Context())
			if got.Err == nil || !strings.Contains(got.Err.Error(), test.says) {
				t.Errorf("it says %v, want %q", got.Err, test.says)
			}
		})
	}
}

func TestACertificateIsVerifiedByTheAuthorityThatIsGiven(t *testing.T) {
	ca, config := certificateFor(t, "127.0.0.1")
	s := startServer(t, &fakeServer{tls: config})
	for _, scheme := range []string{"nats", "tls"} {
		tr := newTransmitter(t, Config{URL: scheme + "://" + s.address + "/S", CAFile: ca})
		wantVerdict(t, tr.Send(t.Context(), item()), transmit.Delivered, 200, 0)
		if server := tr.Inspect(t.Context()).Servers[0]; server.TLS != "TLS 1.3" || server.NotAfter.IsZero() {
			t.Errorf("the server is %+v", server)
		}
	}
	unknown := newTransmitter(t, Config{URL: s.url("S")})
	wantVerdict(t, unknown.Send(t.Context(), item()), transmit.Kept, 0, transmit.UnknownAuthority)
	other, _ := certificateFor(t, "127.0.0.1")
	wrong := newTransmitter(t, Config{URL: s.url("S"), CAFile: other})
	wantVerdict(t, wrong.Send(t.Context(), item()), transmit.Kept, 0, transmit.UnknownAuthority)
}
