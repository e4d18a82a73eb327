package transmit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

func TestACertificateThatIsRefusedIsWhatTheMessageSpeaksOf(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "the root")
	// sign makes a certificate for 127.0.0.1, but for what change does to it.
	sign := func(by *authority, change func(*x509.Certificate)) *authority {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "listener"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: tomorrow(),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		if change != nil {
			change(template)
		}
		parent, signer := template, key
		if by != nil {
			parent, signer = by.cert, by.key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return &authority{key: key, cert: cert}
	}
	authorityNamed := func(name string, change func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.Subject.CommonName, c.IPAddresses, c.ExtKeyUsage = name, nil, nil
			c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
			if change != nil {
				change(c)
			}
		}
	}
	between := sign(root, authorityNamed("between", nil))
	outdated := sign(root, authorityNamed("outdated", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 2, 2, 0, 0, 0, 0, time.UTC)
	}))
	unable := sign(root, func(c *x509.Certificate) { c.Subject.CommonName = "not an authority" })
	namesake := newAuthority(t, "the root")

	for _, c := range []struct {
		name  string
		chain []*authority // the first is the listener's
		says  string       // "": it is delivered
		cause Cause
	}{
		{"a whole chain", []*authority{sign(between, nil), between}, "", Unknown},
		{"a chain without its middle", []*authority{sign(between, nil)},
			`is signed by the authority "between", which is not known here, and came alone`, LoneCertificate},
		{"a certificate that signed itself", []*authority{sign(nil, nil)}, "is signed by nobody but itself, and is not known here", UnknownAuthority},
		{"a namesake of the authority", []*authority{sign(namesake, nil)}, `which is not known here: "x509: ECDSA verification failure"`, UnknownAuthority},
		{"a signer that is not an authority", []*authority{sign(unable, nil), unable}, "cannot sign this kind of certificate", UnknownAuthority},
		{"a signature with SHA-1", []*authority{sign(root, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })},
			"is signed with ECDSA-SHA1, which is not secure", WeakSignature},
		{"a client's certificate", []*authority{sign(root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })},
			"is not one for servers", WrongUsage},
		{"a common name only", []*authority{sign(root, func(c *x509.Certificate) { c.IPAddresses, c.Subject.CommonName = nil, "127.0.0.1" })},
			"names no host", NoName},
		{"many other names", []*authority{sign(root, func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = []string{"a.test", "b.test", "c.test"}, []net.IP{net.IPv4(192, 0, 2, 1)}
		})}, "is for a.test, b.test, c.test and 1 more and not for 127.0.0.1", WrongName},
		{"an authority that has ended", []*authority{sign(outdated, nil), outdated},
			`of the authority "outdated" is valid from 2025-01-01 to 2025-02-02 only`, CertificateExpired},
		{"an authority for other names", func() []*authority {
			narrow := sign(root, authorityNamed("narrow", func(c *x509.Certificate) {
				c.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(192, 0, 2, 0).To4(), Mask: net.CIDRMask(24, 32)}}
			}))
			return []*authority{sign(narrow, nil), narrow}
		}(), "is not valid: ", BadCertificate},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pair := tls.Certificate{PrivateKey: c.chain[0].key}
			for _, a := range c.chain {
				pair.Certificate = append(pair.Certificate, a.cert.Raw)
			}
			l := listen(t, &tls.Config{Certificates: []tls.Certificate{pair}}, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			v := send(newTransmitter(t, Config{URL: "https://" + l.address, CAFile: root.file}), "{}")
			if c.says == "" {
				mustHold(t, v, Delivered, 200, "")
				return
			}
			mustHold(t, v, Kept, 0, "https://"+l.address+"/: the certificate ")
			mustHold(t, v, Kept, 0, c.says)
			mustHaveCause(t, v.Err, c.cause)
		})
	}
}
