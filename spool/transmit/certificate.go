package transmit

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// certificateFault says why the certificate of the other side was refused. The sentence goes on
// behind "the certificate". For any other error the cause is Unknown.
func certificateFault(err error) (Cause, string) {
	var refused *tls.CertificateVerificationError
	if !errors.As(err, &refused) || len(refused.UnverifiedCertificates) == 0 {
		return Unknown, ""
	}
	chain := refused.UnverifiedCertificates
	var invalid x509.CertificateInvalidError
	var wrongName x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		of := ""
		if c := invalid.Cert; !c.Equal(chain[0]) {
			of = fmt.Sprintf("of the authority \"%s\" ", shortName(c.Subject))
		}
		return CertificateExpired, fmt.Sprintf("%sis valid from %s to %s only", of,
			invalid.Cert.NotBefore.UTC().Format("2006-01-02"), invalid.Cert.NotAfter.UTC().Format("2006-01-02"))
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return WrongUsage, "is not one for servers"
	case errors.As(err, &wrongName) && len(namesOf(chain[0])) == 0:
		return NoName, "names no host"
	case errors.As(err, &wrongName):
		return WrongName, fmt.Sprintf("is for %s and not for %s", listed(namesOf(chain[0]), 3), wrongName.Host)
	case !errors.As(err, &unknown):
		return BadCertificate, "is not valid: " + strings.TrimPrefix(refused.Err.Error(), "x509: ")
	}
	for _, c := range chain {
		if isWeak(c.SignatureAlgorithm) && !isSelfSigned(c) {
			return WeakSignature, fmt.Sprintf("is signed with %v, which is not secure", c.SignatureAlgorithm)
		}
	}
	first := chain[0]
	if isSelfSigned(first) {
		return UnknownAuthority, "is signed by nobody but itself, and is not known here"
	}
	if unknown.Cert != nil {
		first = unknown.Cert
	}
	sentence := fmt.Sprintf("is signed by the authority \"%s\", which is not known here", shortName(first.Issuer))
	if _, why, found := strings.Cut(unknown.Error(), "because of "); found { // it is known by name only
		why, _, _ = strings.Cut(why, " while trying")
		return UnknownAuthority, sentence + ": " + why
	}
	if len(chain) == 1 {
		return LoneCertificate, sentence + ", and came alone"
	}
	return UnknownAuthority, sentence
}

// isWeak reports whether package x509 takes no signature of a kind.
func isWeak(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1:
		return true
	}
	return false
}

// isSelfSigned also holds for a root, whose signature nobody looks at.
func isSelfSigned(c *x509.Certificate) bool { return string(c.RawIssuer) == string(c.RawSubject) }

// namesOf returns the names and addresses that a certificate is for.
func namesOf(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// listed joins the first names.
func listed(names []string, most int) string {
	text := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// shortName is the common name where there is one.
func shortName(n pkix.Name) string { return cmp.Or(n.CommonName, n.String()) }
