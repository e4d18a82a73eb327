package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// certificate makes a self-signed pair for 127.0.0.1 and returns its files and a pool that trusts
// it.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, pool
}

func TestItServesTLSAndItsFaultsOverTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	r := start(t, "--tls-cert", cert, "--tls-key", key, "--script", "200x3,reset,close,200", "-v")
	if !strings.HasPrefix(r.url, "https://") {
		t.Fatalf("the URL is %s", r.url)
	}
	trusting := &tls.Config{RootCAs: pool}
	r.client.Transport = &http.Transport{TLSClientConfig: trusting, ForceAttemptHTTP2: true}
	r.expect(200, 200)
	if resp, _ := r.post("{}"); resp.Proto != "HTTP/1.1" {
		t.Errorf("the answer came over %s", resp.Proto)
	}
	if n := r.stats(); n.Connections != 1 {
		t.Errorf("three requests took %d connections", n.Connections)
	}

	for step, want := range map[string]error{"reset": syscall.ECONNRESET, "close": nil} {
		r.control("PUT", "/_control/script", step)
		c, err := tls.Dial("tcp", r.host, trusting)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, rawPost); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if len(got) > 0 || !errors.Is(err, want) {
			t.Errorf("%s over TLS gave %q and %v, want %v", step, got, err, want)
		}
		_ = c.Close()
	}

	before := r.stats()
	if _, err := tls.Dial("tcp", r.host, nil); err == nil {
		t.Error("a client that does not trust the certificate was served")
	}
	if n := r.stats(); n.Requests != before.Requests || n.Malformed+n.CutOff != 0 {
		t.Errorf("a handshake that failed is counted as a request: %+v", n)
	}
	if text, err := io.ReadAll(r.raw(rawPost)); err != nil && !errors.Is(err, syscall.ECONNRESET) || strings.Contains(string(text), "200") {
		t.Errorf("plain HTTP was answered %q, %v", text, err)
	}
}
