//go:build linux && (amd64 || arm64)

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// authority signs certificates that the product is told to trust.
type authority struct {
	file        string // of its own certificate
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(dir string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "torture"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	ca := &authority{file: filepath.Join(dir, "ca.pem"), certificate: certificate, key: key}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return ca, os.WriteFile(ca.file, text, 0o644)
}

// sign makes a certificate for a name, valid for so long from an hour ago. By a
// stranger, nobody trusts it.
func (ca *authority) sign(name string, valid time.Duration, stranger bool) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(trouble{err})
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "\x1b[31m" + name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(valid - time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	parent, signer := ca.certificate, ca.key
	if stranger {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		panic(trouble{err})
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// shows is a TLS listener with one certificate.
func shows(name string, valid time.Duration, stranger bool) func(*authority) *tls.Config {
	return func(ca *authority) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{ca.sign(name, valid, stranger)}}
	}
}

func tlsBehaviours() []behaviour {
	good := shows("127.0.0.1", 2*time.Hour, false)
	garbage := func(*authority) *tls.Config { return nil }
	return append(http2Behaviours(good), []behaviour{
		{name: "TLS: answers", tls: good, do: says(200, okay)},
		{name: "TLS: answers twice", tls: good, do: says(200, okay+okay)},
		{name: "TLS: closes without a goodbye", tls: good, code: 69, tells: "closed", do: func(c net.Conn, take func(int) error) {
			take(0)
			c.(*tls.Conn).NetConn().Close()
		}},
		{name: "TLS: garbage in place of a handshake", tls: garbage, code: 69, tells: "TLS", do: func(c net.Conn, _ func(int) error) {
			io.WriteString(c, "\x16\x03\x03\x7f\xff\x1b[31mgarbage")
			io.Copy(io.Discard, c)
		}},
		{name: "TLS: garbage after the handshake", tls: good, code: 69, tells: "tls:", do: func(c net.Conn, take func(int) error) {
			take(0)
			io.WriteString(c.(*tls.Conn).NetConn(), "\x17\x03\x03\x00\x20not what anybody encrypted here..")
			io.Copy(io.Discard, c.(*tls.Conn).NetConn())
		}},
		{name: "TLS: speaks HTTP without it", tls: garbage, code: 69, tells: "HTTP", do: func(c net.Conn, _ func(int) error) {
			io.ReadFull(c, make([]byte, 5))
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\nClient sent a TLS handshake to an HTTP server.\n")
		}},
		{name: "TLS: never shakes hands", tls: garbage, code: 69, tells: "TLS", do: func(c net.Conn, _ func(int) error) { holds(c) }},
		{name: "TLS: certificate of a stranger", tls: shows("127.0.0.1", 2*time.Hour, true), code: 69, tells: "certificate", do: says(200, okay)},
		{name: "TLS: certificate of another name", tls: shows("other.example", 2*time.Hour, false), code: 69, tells: "certificate", do: says(200, okay)},
		{name: "TLS: expired certificate", tls: shows("127.0.0.1", time.Minute, false), code: 69, tells: "the certificate is valid from", do: says(200, okay)},
		{name: "TLS: certificate changes between requests", code: 69, tells: "certificate", do: saysOnce(200, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), tls: func(ca *authority) *tls.Config {
			var n atomic.Int64
			trusted, stranger := ca.sign("127.0.0.1", 2*time.Hour, false), ca.sign("127.0.0.1", 2*time.Hour, true)
			// A resumed session would vouch for the first certificate.
			return &tls.Config{SessionTicketsDisabled: true, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				if n.Add(1) == 1 {
					return &trusted, nil
				}
				return &stranger, nil
			}}
		}},
	}...)
}
