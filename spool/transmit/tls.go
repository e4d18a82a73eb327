package transmit

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// setTLS makes the TLS configurations for the listener, and for a proxy that speaks TLS.
func (t *Transmitter) setTLS(cfg Config) error {
	proxied := t.proxy != nil && t.proxy.scheme == "https"
	if !t.target.secure && !proxied {
		if cfg.CAFile != "" || cfg.CertFile != "" || cfg.KeyFile != "" {
			return errors.New("certificates are given, but the URL begins with http://, where they are not used")
		}
		return nil
	}
	base, err := t.readTLS(cfg)
	base.NextProtos = []string{"http/1.1"}
	problems := []error{err}
	if proxied {
		t.client.ProxyTLS = base.Clone()
		t.client.ProxyTLS.ServerName = serverName(t.proxy.host)
		t.client.ProxyTLS.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	if t.target.secure {
		t.client.TLS = base
		t.client.TLS.ServerName = serverName(t.target.host)
	}

	switch {
	case cfg.CertFile == "" && cfg.KeyFile != "":
		problems = append(problems, errors.New("a key file is given without a certificate file"))
	case cfg.CertFile != "" && !t.target.secure:
		problems = append(problems, errors.New("a client certificate is given, but the URL begins with http://"))
	case cfg.CertFile != "":
		problems = append(problems, addKeyPair(t.client.TLS, cfg))
	}
	return errors.Join(problems...)
}

// readTLS makes what every TLS configuration begins with, with the authorities of cfg.
func (t *Transmitter) readTLS(cfg Config) (*tls.Config, error) {
	base := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.CAFile == "" {
		return base, nil
	}
	pem, err := ReadSmall(cfg.CAFile, maxCAFile)
	t.authorities, base.RootCAs = pem, x509.NewCertPool()
	if err != nil {
		return base, fmt.Errorf("CA file: %w", err)
	}
	if !base.RootCAs.AppendCertsFromPEM(pem) {
		return base, fmt.Errorf("CA file %s holds no PEM certificate", cfg.CAFile)
	}
	return base, nil
}

// addKeyPair adds the client certificate of cfg.
func addKeyPair(c *tls.Config, cfg Config) error {
	pair, err := readKeyPair(cfg.CertFile, cmp.Or(cfg.KeyFile, cfg.CertFile))
	if err != nil {
		return fmt.Errorf("client certificate %s: %w", cfg.CertFile, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return nil
}

// ReadSystemRoots reads the system's certificate authorities now if they judge the listener or its
// proxy. Otherwise the first connection does that, for a process that may have other rights then.
func (t *Transmitter) ReadSystemRoots() {
	if c := cmp.Or(t.client.TLS, t.client.ProxyTLS); c != nil && c.RootCAs == nil {
		_, _ = x509.SystemCertPool() // keeps what it has read, also an error, for all connections
	}
}

// CertificateEnd returns when the client certificate ends; zero if there is none.
func (t *Transmitter) CertificateEnd() time.Time {
	if t.client.TLS == nil || len(t.client.TLS.Certificates) == 0 || t.client.TLS.Certificates[0].Leaf == nil {
		return time.Time{}
	}
	return t.client.TLS.Certificates[0].Leaf.NotAfter
}

func readKeyPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := ReadSmall(certFile, maxSecretFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := ReadSmall(keyFile, maxSecretFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

// serverName is the name that a certificate must carry for host. Certificates know neither zones
// nor the final dot.
func serverName(host string) string {
	host, _, _ = strings.Cut(host, "%")
	return strings.TrimSuffix(host, ".")
}
