package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// tlsListener is a listener that speaks TLS as configured and counts payloads.
func tlsListener(t *testing.T, config *tls.Config) (url string, delivered *atomic.Int64) {
	t.Helper()
	delivered = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && string(body) == `{"n":1}` {
			delivered.Add(1)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // failed handshakes are what is wanted
	if config == nil {
		server.Start()
	} else {
		server.TLS = config
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	return server.URL, delivered
}

// runBinary runs the real program on a spool of one payload.
func runBinary(t *testing.T, bin string, environ []string, args ...string) (code int, stderr string, left []string) {
	t.Helper()
	dir := t.TempDir()
	spool := filepath.Join(dir, "spool")
	if err := errors.Join(os.Mkdir(spool, 0o700), os.WriteFile(filepath.Join(spool, "a.json"), []byte(`{"n":1}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "spoolfwd"), append([]string{"run", "--spool", spool, "--state-dir", filepath.Join(dir, "state")}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, append([]string{"NO_PROXY=127.0.0.1"}, environ...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		t.Errorf("it writes to standard output: %s", out.String())
	}
	return cmd.ProcessState.ExitCode(), errs.String(), leftIn(t, spool)
}

func TestTheBinaryDeliversOverTLSAndRefusesBadCertificates(t *testing.T) {
	bin := buildCommands(t)
	t.Run("certificates", func(t *testing.T) { testCertificates(t, bin) })
	t.Run("http to a listener that speaks TLS", func(t *testing.T) { testHTTPToTLS(t, bin) })
	t.Run("tunnel through a proxy from the environment", func(t *testing.T) { testTunnel(t, bin) })
}

// A wrong certificate gives one sentence and one hint to the person who has to correct it. No
// payload is ever sent to a stranger.
func testCertificates(t *testing.T, bin string) {
	ours, others := newAuthority(t), newAuthority(t)
	soon := time.Now().Add(24 * time.Hour)
	good := &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "127.0.0.1", soon)}}
	guarded := good.Clone()
	guarded.ClientAuth, guarded.ClientCAs = tls.RequireAndVerifyClientCert, ours.pool()
	old := good.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	clientCert, clientKey := pairFiles(t, ours.issue(t, "client", soon))
	strangeCert, strangeKey := pairFiles(t, others.issue(t, "client", soon))

	for _, c := range []struct {
		name   string
		config *tls.Config
		flags  []string
		says   string // "": it is delivered
		hint   string
	}{
		{"private authority", good, []string{"--ca-file", ours.file(t)}, "", ""},
		{"unknown authority", good, nil,
			`the certificate is signed by the authority "an authority", which is not known here, and came alone`,
			"of an authority of your own, name the certificate with --ca-file"},
		{"another authority", good, []string{"--ca-file", others.file(t)},
			`the certificate is signed by the authority "an authority", which is not known here`, "name the signer's certificate with --ca-file"},
		{"expired", &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "127.0.0.1", time.Now().Add(-time.Hour))}},
			[]string{"--ca-file", ours.file(t)}, "the certificate is valid from ", "renew the listener's certificate, or set this machine's clock"},
		{"wrong name", &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "example.com", soon)}},
			[]string{"--ca-file", ours.file(t)}, "the certificate is for example.com and not for 127.0.0.1", "write the certificate's name in --url"},
		{"client certificate missing", guarded, []string{"--ca-file", ours.file(t)},
			"certificate required", "the listener wants a client certificate: check --cert-file and --key-file"},
		{"client certificate of a stranger", guarded, []string{"--ca-file", ours.file(t), "--cert-file", strangeCert, "--key-file", strangeKey},
			"unknown certificate authority", "the listener does not know who signed the client certificate: check --cert-file"},
		{"client certificate", guarded, []string{"--ca-file", ours.file(t), "--cert-file", clientCert, "--key-file", clientKey}, "", ""},
		{"TLS 1.1 only", old, []string{"--ca-file", ours.file(t)},
			"protocol version", "the listener speaks no TLS newer than 1.1: 1.2 is the least that is accepted"},
		{"no TLS at all", nil, nil, "TLS handshake", "the listener speaks plain HTTP: write http:// in --url"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, delivered := tlsListener(t, c.config)
			url = strings.Replace(url, "http://", "https://", 1)
			code, stderr, left := runBinary(t, bin, nil, append([]string{"--url", url}, c.flags...)...)
			if c.says == "" {
				if code != 0 || stderr != "" || delivered.Load() != 1 || len(left) != 0 {
					t.Errorf("it ends with %d, %d delivered, left %q\n%s", code, delivered.Load(), left, stderr)
				}
				return
			}
			if code != int(exit.Left) || delivered.Load() != 0 || len(left) != 1 {
				t.Errorf("it ends with %d, %d delivered, left %q", code, delivered.Load(), left)
			}
			sentence, hint, _ := strings.Cut(strings.TrimSuffix(stderr, "\n"), "\n")
			wantText(t, "the sentence", sentence, "spoolfwd: 1 request failed: "+url, c.says)
			wantText(t, "the hint", hint, "spoolfwd:   ", c.hint)
			if strings.Contains(hint, "\n") {
				t.Errorf("the hint is more than one line:\n%s", hint)
			}
		})
	}
}

// Go's server answers 400 to that, which looks like a refused payload.
func testHTTPToTLS(t *testing.T, bin string) {
	url, delivered := tlsListener(t, &tls.Config{Certificates: []tls.Certificate{newAuthority(t).issue(t, "127.0.0.1", time.Now().Add(time.Hour))}})
	code, stderr, left := runBinary(t, bin, nil, "--url", strings.Replace(url, "https://", "http://", 1))
	wantText(t, "standard error", stderr, "the listener speaks TLS: write https:// in --url")
	if code == 0 || len(left) != 1 || delivered.Load() != 0 {
		t.Errorf("it ends with %d, %d delivered, left %q", code, delivered.Load(), left)
	}
}

// The proxy sees a name and bytes it cannot read.
func testTunnel(t *testing.T, bin string) {
	ca := newAuthority(t)
	url, delivered := tlsListener(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "listener.example", time.Now().Add(time.Hour))}})
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	asked := make(chan string, 1)
	go func() {
		client, err := proxy.Accept()
		if err != nil {
			return // the test is over
		}
		defer client.Close()
		r := bufio.NewReader(client)
		request, err := http.ReadRequest(r)
		if err != nil {
			asked <- err.Error()
			return
		}
		asked <- request.Method + " " + request.Host + " " + request.Header.Get("Proxy-Authorization")
		server, err := net.Dial("tcp", strings.TrimPrefix(url, "https://"))
		if err != nil {
			return
		}
		defer server.Close()
		io.WriteString(client, "HTTP/1.1 200 go ahead\r\n\r\n")
		go io.Copy(server, r)
		io.Copy(client, server)
	}()
	code, stderr, left := runBinary(t, bin, []string{"https_proxy=http://me:pa55@" + proxy.Addr().String()},
		"--url", "https://listener.example/ingest", "--ca-file", ca.file(t))
	if code != 0 || stderr != "" || len(left) != 0 || delivered.Load() != 1 {
		t.Fatalf("it ends with %d, %d delivered, left %q\n%s", code, delivered.Load(), left, stderr)
	}
	if got := <-asked; got != "CONNECT listener.example:443 Basic bWU6cGE1NQ==" {
		t.Errorf("the proxy was asked %q", got)
	}
}
