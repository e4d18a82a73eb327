package jetstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// A wrong port or scheme is a common mistake. The cause is named, since the advice follows from it.
func TestWhatIsNotTheServerIsNamed(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	greeter := startServer(t, &fakeServer{info: map[string]any{"padding": "x"}})
	mail, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	go func() {
		if c, err := mail.Accept(); err == nil {
			c.Write([]byte("220 mail.example.com ESMTP\r\n"))
			untilClosed(c)
			c.Close()
		}
	}()
	at := web.Listener.Addr().String()
	for _, test := range []struct {
		name, url string
		cause     transmit.Cause
		says      string
	}{
		{"a mail server", "nats://" + mail.Addr().String() + "/S", transmit.NATSStranger, "does not speak NATS"},
		{"a web server", "nats://" + at + "/S", transmit.NATSSilent, "not let in within 200ms"},
		{"a web server without NATS", "ws://" + at + "/S", transmit.NATSStranger, "does not speak NATS over WebSocket"},
		{"a web server without TLS", "wss://" + at + "/S", transmit.NATSPlain, "offers no TLS"},
		{"a server's other port", "ws://" + greeter.address + "/S", transmit.NATSStranger, "does not speak NATS over WebSocket"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := newTransmitter(t, Config{URL: test.url, ConnectTimeout: 200 * time.Millisecond}).Send(t.Context(), item())
			wantVerdict(t, v, transmit.Kept, 0, test.cause)
			if !strings.Contains(v.Err.Error(), test.says) {
				t.Errorf("it says %q, want %q", v.Err, test.says)
			}
		})
	}
}

// The alert that says so is lost when the server closes the connection before it is read.
func TestAServerThatWantsACertificateIsNamed(t *testing.T) {
	ca, config := certificateFor(t, "127.0.0.1")
	closing := func(*client, map[string]any) bool { return false }
	wanting := config.Clone()
	wanting.ClientAuth, wanting.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	for _, s := range []*fakeServer{{tls: wanting}, {tls: config, connect: closing}} {
		v := newTransmitter(t, Config{URL: startServer(t, s).url("S"), CAFile: ca}).Send(t.Context(), item())
		var e *transmit.Error
		if !errors.As(v.Err, &e) || e.Cause != transmit.WantsCertificate && e.Cause != transmit.NoCommonTLS {
			t.Errorf("the error is %v, want one that leads to --cert-file", v.Err)
		}
	}
}

// The end of the time closes the connection. What the library makes of that is not the cause.
func TestAServerThatGoesSilentAfterTheGreetingIsSlow(t *testing.T) {
	s := startServer(t, &fakeServer{subject: func(c *client, _ string) { untilClosed(c) }})
	for range 5 {
		tr := newTransmitter(t, Config{URL: s.url("S"), ConnectTimeout: 50 * time.Millisecond})
		wantVerdict(t, tr.Send(t.Context(), item()), transmit.Kept, 0, transmit.NATSSilent)
	}
}
