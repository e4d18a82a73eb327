package transmit

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTheCertificatesOfBothSidesDecideWhetherItemsAreSent(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t, "known"), newAuthority(t, "un\x1b[31mknown")
	good, _ := ca.issue(t, tomorrow(), "127.0.0.1", "localhost")
	expired, _ := ca.issue(t, time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC), "127.0.0.1")
	early, _ := ca.issue(t, time.Now().Add(1000*time.Hour), "127.0.0.1")
	wrongName, _ := ca.issue(t, tomorrow(), "else.where.test", "\x1b[31mred.test")
	unknown, _ := other.issue(t, tomorrow(), "127.0.0.1")
	_, clientPEM := ca.issue(t, tomorrow(), "client.test")
	_, strangerPEM := other.issue(t, tomorrow(), "client.test")
	_, namesakePEM := newAuthority(t, "known").issue(t, tomorrow(), "client.test")
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	asking := &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	asking12 := asking.Clone()
	asking12.MaxVersion = tls.VersionTLS12
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	withRSA, _ := ca.issueFor(t, rsaKey, tomorrow(), "127.0.0.1")
	// only speaks with one cipher suite, which before TLS 1.3 also says how keys are exchanged.
	only := func(suite uint16) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{withRSA}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}
	}

	for _, c := range []struct {
		name   string
		server *tls.Config
		client string // PEM
		action Action
		err    string
		cause  Cause
	}{
		{"a good certificate", &tls.Config{Certificates: []tls.Certificate{good}}, "", Delivered, "", Unknown},
		{"TLS 1.2", &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, "", Delivered, "", Unknown},
		{"HTTP/1.1 chosen by ALPN", &tls.Config{Certificates: []tls.Certificate{good}, NextProtos: []string{"h2", "http/1.1"}}, "", Delivered, "", Unknown},
		{"an expired certificate", &tls.Config{Certificates: []tls.Certificate{expired}}, "", Kept, "valid from 2024-12-31 to 2025-01-02 only", CertificateExpired},
		{"a certificate of the future", &tls.Config{Certificates: []tls.Certificate{early}}, "", Kept, "the certificate is valid from", CertificateExpired},
		{"a wrong name", &tls.Config{Certificates: []tls.Certificate{wrongName}}, "", Kept, `the certificate is for else.where.test, \x1b[31mred.test and not for 127.0.0.1`, WrongName},
		{"an unknown authority", &tls.Config{Certificates: []tls.Certificate{unknown}}, "", Kept, `signed by the authority "un\x1b[31mknown", which is not known here`, LoneCertificate},
		{"TLS 1.1 only", &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "", Kept, "protocol version not supported", OldTLS},
		{"RSA with a fresh key for each connection", only(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), "", Delivered, "", Unknown},
		{"RSA key exchange only", only(tls.TLS_RSA_WITH_AES_128_GCM_SHA256), "", Kept, "handshake failure", NoCommonTLS},
		{"another protocol only", &tls.Config{Certificates: []tls.Certificate{good}, NextProtos: []string{"imap"}}, "", Kept, "no application protocol", NotHTTP},
		{"a client certificate required and given", asking, clientPEM, Delivered, "", Unknown},
		{"a client certificate required and given with TLS 1.2", asking12, clientPEM, Delivered, "", Unknown},
		{"a client certificate required and missing", asking, "", Kept, "certificate required", WantsCertificate},
		{"a client certificate required and missing with TLS 1.2", asking12, "", Kept, "", NoCommonTLS},
		{"a client certificate that the listener does not ask for", asking, strangerPEM, Kept, "", WantsCertificate},
		{"a client certificate that the listener does not know", asking, namesakePEM, Kept, "", UnknownCertificate},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := listen(t, c.server, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			cfg := Config{URL: "https://" + l.address, CAFile: ca.file, Timeout: time.Minute}
			if c.client != "" {
				cfg.CertFile = writeFile(t, "client.pem", c.client)
			}
			tr := newTransmitter(t, cfg)
			for range 2 {
				v := send(tr, "{}")
				mustBeShowable(t, v)
				status := 0
				if c.action == Delivered {
					status = 200
				}
				mustHold(t, v, c.action, status, c.err)
				if v.Err != nil {
					mustHaveCause(t, v.Err, c.cause)
				}
			}
			if n := l.accepted.Load(); c.action == Delivered && n != 1 {
				t.Errorf("2 requests took %d connections, want 1", n)
			}
		})
	}
}

func TestWithoutACAFileTheSystemsAuthoritiesCount(t *testing.T) {
	_, config := tlsFor(t, true)
	l := listen(t, config, untilClosedHandler)
	v := send(newTransmitter(t, Config{URL: "https://" + l.address}), "{}")
	mustHold(t, v, Kept, 0, "certificate")
}

func untilClosedHandler(c net.Conn, _ int) { untilClosed(c) }

func TestTheCertificateIsVerifiedOnEveryNewConnection(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t, "known"), newAuthority(t, "unknown")
	good, _ := ca.issue(t, tomorrow(), "127.0.0.1")
	bad, _ := other.issue(t, tomorrow(), "127.0.0.1")
	handshakes := 0
	config := &tls.Config{SessionTicketsDisabled: true, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if handshakes++; handshakes == 1 {
			return &good, nil
		}
		return &bad, nil
	}}
	l := listen(t, config, answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	tr := newTransmitter(t, Config{URL: "https://" + l.address, CAFile: ca.file})
	mustHold(t, send(tr, "{}"), Delivered, 200, "")
	mustHold(t, send(tr, "{}"), Kept, 0, "which is not known here")
}

func TestHTTPToATLSPortAndTLSToAnHTTPPortAreNamedAsSuch(t *testing.T) {
	t.Parallel()
	ca, _ := tlsFor(t, true)
	const ok = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"

	plain := listen(t, nil, func(c net.Conn, _ int) {
		buffer := make([]byte, 4096)
		c.Read(buffer)
		c.Write([]byte(ok))
	})
	v := send(newTransmitter(t, Config{URL: "https://" + plain.address, CAFile: ca}), "{}")
	mustHold(t, v, Kept, 0, "")
	mustHaveCause(t, v.Err, SpeaksPlain)

	secure := listen(t, nil, func(c net.Conn, _ int) {
		c.Read(make([]byte, 4096))
		c.Write([]byte("\x15\x03\x01\x00\x02\x02\x46")) // as OpenSSL answers
	})
	v = send(newTransmitter(t, Config{URL: secure.url()}), "{}")
	mustHold(t, v, Kept, 0, "")
	mustHaveCause(t, v.Err, WantsTLS)

	// Others say nothing, and a listener that fails does not either.
	silent := listen(t, nil, func(c net.Conn, _ int) { c.Read(make([]byte, 1)) })
	v = send(newTransmitter(t, Config{URL: silent.url()}), "{}")
	mustHold(t, v, Kept, 0, "waiting for the answer: ")
	mustHaveCause(t, v.Err, PerhapsTLS)
	v = send(newTransmitter(t, Config{URL: "https://" + silent.address, CAFile: ca}), "{}")
	mustHold(t, v, Kept, 0, "TLS handshake: ")
	mustHaveCause(t, v.Err, PerhapsPlain)

	for _, body := range []string{
		"Client sent an HTTP request to an HTTPS server.\n",
		"<center>The plain HTTP request was sent to HTTPS port</center>",
		"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
	} {
		l := listen(t, nil, func(c net.Conn, _ int) {
			buffer := make([]byte, 4096)
			c.Read(buffer)
			c.Write([]byte("HTTP/1.0 400 Bad Request\r\n\r\n" + body))
		})
		v = send(newTransmitter(t, Config{URL: l.url()}), "{}")
		mustHold(t, v, Kept, 400, "")
		mustHaveCause(t, v.Err, WantsTLS)
	}
}

func TestABrokenTLSHandshakeDeliversNothing(t *testing.T) {
	t.Parallel()
	ca, _ := tlsFor(t, true)
	for name, answer := range map[string]string{
		"zeros":              strings.Repeat("\x00", 64),
		"noise":              "\x16\x03\x03\x00\x04\x02\x00\x00\x00",
		"an oversized frame": "\x16\x03\x03\xff\xff" + strings.Repeat("x", 70000),
		"an alert":           "\x15\x03\x03\x00\x02\x02\x28",
		"a text":             "SSH-2.0-OpenSSH_9.9\r\n",
		"nothing":            "",
	} {
		l := listen(t, nil, func(c net.Conn, _ int) {
			buffer := make([]byte, 4096)
			c.Read(buffer)
			c.Write([]byte(answer))
		})
		v := send(newTransmitter(t, Config{URL: "https://" + l.address, CAFile: ca}), "{}")
		if v.Action != Kept || v.Status != 0 {
			t.Errorf("%s instead of a handshake is %v with status %d", name, v.Action, v.Status)
		}
		mustBeShowable(t, v)
	}
}

func TestBadCertificateAndKeyFilesAreRefused(t *testing.T) {
	ca := newAuthority(t, "CA")
	_, pem := ca.issue(t, tomorrow(), "client.test")
	client := writeFile(t, "client.pem", pem)
	empty := writeFile(t, "empty.pem", "")
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{URL: "https://x", CAFile: empty}, "CA file " + empty + " holds no PEM certificate"},
		{Config{URL: "https://x", CAFile: "/none.pem"}, "CA file: open /none.pem: "},
		{Config{URL: "https://x", CertFile: "/none.pem"}, "client certificate /none.pem: "},
		{Config{URL: "https://x", CertFile: empty}, "client certificate " + empty + ": "},
		{Config{URL: "https://x", CertFile: client, KeyFile: empty}, "client certificate " + client + ": "},
		{Config{URL: "https://x", KeyFile: client}, "a key file is given without a certificate file"},
		{Config{URL: "http://x", CertFile: client}, "the URL begins with http://"},
		{Config{URL: "http://x", CAFile: ca.file}, "the URL begins with http://"},
	} {
		c.cfg.Getenv = func(string) string { return "" }
		if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v gives %v, want %q in it", c.cfg, err, c.want)
		}
	}
}

func TestProbeReportsConnectionAndCertificateWithoutSendingARequest(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "known")
	end := tomorrow().Truncate(time.Second)
	good, _ := ca.issue(t, end, "localhost")
	expired, _ := ca.issue(t, time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC), "localhost")
	config := &tls.Config{Certificates: []tls.Certificate{good}}
	l := listen(t, config, func(c net.Conn, _ int) {
		if n, _ := c.Read(make([]byte, 1)); n > 0 {
			t.Error("Probe sent something")
		}
	})
	_, port, _ := net.SplitHostPort(l.address)

	d := newTransmitter(t, Config{URL: "https://localhost:" + port, CAFile: ca.file}).Probe(context.Background())
	if steps(d) != "resolve connect tls" || !d.NotAfter.Equal(end) || strings.Contains(d.Steps[0].Detail, "::ffff:") {
		t.Errorf("the steps are %+v until %v, want all three until %v", d.Steps, d.NotAfter, end)
	}
	l = listen(t, &tls.Config{Certificates: []tls.Certificate{expired}}, untilClosedHandler)
	_, port, _ = net.SplitHostPort(l.address)
	d = newTransmitter(t, Config{URL: "https://localhost:" + port, CAFile: ca.file}).Probe(context.Background())
	if steps(d) != "resolve connect tls!" || !d.NotAfter.IsZero() {
		t.Errorf("with an expired certificate the steps are %q", steps(d))
	}
	d = newTransmitter(t, Config{URL: "http://" + closedPort(t)}).Probe(context.Background())
	if steps(d) != "connect!" {
		t.Errorf("with nothing listening the steps are %q, %v", steps(d), d.Steps)
	}
	mustHaveCause(t, d.Steps[0].Err, Refused)
	s, _ := server(t, func(http.ResponseWriter, *http.Request) { t.Error("Probe sent a request") })
	if d = newTransmitter(t, Config{URL: s.URL}).Probe(context.Background()); steps(d) != "connect" {
		t.Errorf("without TLS the steps are %q", steps(d))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if d = newTransmitter(t, Config{URL: s.URL}).Probe(ctx); steps(d) != "connect!" {
		t.Errorf("with a cancelled context the steps are %q", steps(d))
	}
}

// steps names them in a row; ! is a failure.
func steps(d Diagnosis) string {
	var names []string
	for _, s := range d.Steps {
		if s.Err != nil {
			s.Name += "!"
		}
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

// closedPort returns an address where nothing listens.
func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
