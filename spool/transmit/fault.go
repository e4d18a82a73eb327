package transmit

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
)

// stage is how far a request came.
type stage int

const (
	connecting stage = iota
	tunnelling
	securing
	sending
	receiving
)

// requestError is a Verdict's error: a text made for people and for folding equal errors, and the cause for errors.Is.
type requestError struct {
	text  string
	cause error
}

func (e *requestError) Error() string { return e.text }
func (e *requestError) Unwrap() error { return e.cause }

// errorf makes the error "URL: sentence", with the hint on a second line. What others had a part in
// is made printable here.
func (t *Transmitter) errorf(cause error, hint, format string, args ...any) error {
	sentence := t.secrets.cut(fmt.Sprintf(format, args...), false)
	text := t.target.display + ": " + shortened(sentence, 300)
	if hint != "" {
		text += "\n" + shortened(hint, 300)
	}
	return &requestError{text, cause}
}

// failed is the verdict of a request that got no answer.
func (t *Transmitter) failed(ctx context.Context, at stage, err error) Verdict {
	if cause := over(ctx); cause != nil {
		return Verdict{Action: Aborted, Err: t.errorf(cause, "", "the request was cancelled")}
	}
	if ownFault(err) {
		return Verdict{Action: Aborted, Err: t.errorf(err, ownHint(err), "%s", t.sentence(at, err))}
	}
	return Verdict{Action: Kept, Sent: at >= sending, Err: t.errorf(err, t.hint(at, err), "%s", t.sentence(at, err))}
}

// ownFaults say nothing about the listener: descriptors and kernel memory have run out on this machine. Not among them:
// EADDRNOTAVAIL, which is exhausted ports, but also the usual answer for ::1 where IPv6 is off, and ENETUNREACH and
// EPERM, which can last for days. With those, the breaker has to hear of it, or every run would try every payload.
var ownFaults = [...]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS}

func ownFault(err error) bool {
	var dns *net.DNSError
	asked := errors.As(err, &dns)
	for _, errno := range ownFaults {
		// A resolver's error keeps nothing of its cause but the text.
		if errors.Is(err, errno) || asked && strings.HasSuffix(dns.Err, errno.Error()) {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// sentence says what went wrong in words that are the same for the same cause: no ports of ours, no times, no address
// out of several.
func (t *Transmitter) sentence(at stage, err error) string {
	var dns *net.DNSError
	var expired x509.CertificateInvalidError
	var refusal *proxyRefusal
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host: " + dns.Name
	case errors.As(err, &dns) && dns.IsTimeout:
		return "the lookup of " + dns.Name + " got no answer in time"
	case errors.As(err, &dns):
		return "the lookup of " + dns.Name + " failed: " + withoutOwnAddress(dns.Err)
	case errors.As(err, &refusal):
		return "the proxy " + t.proxy.display + " opened no tunnel: " + refusal.Error()
	case isTimeout(err):
		return t.late(at)
	case errors.As(err, &expired) && expired.Reason == x509.Expired && expired.Cert != nil:
		return fmt.Sprintf("the certificate is valid from %s to %s only",
			expired.Cert.NotBefore.UTC().Format("2006-01-02"), expired.Cert.NotAfter.UTC().Format("2006-01-02"))
	}
	what := root(err)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		what = "the connection was closed in the middle of an answer"
	case errors.Is(err, io.EOF):
		what = "the connection was closed without an answer"
	case errors.Is(err, syscall.EPIPE):
		what = "the connection was closed"
	}
	switch at {
	case connecting:
		if t.proxy != nil {
			return "connecting to the proxy " + t.proxy.display + ": " + what
		}
		return "connecting: " + what
	case tunnelling:
		return "the proxy " + t.proxy.display + ": " + what
	case securing:
		return "TLS handshake: " + what
	case sending:
		return "sending the request: " + what
	default:
		return "waiting for the answer: " + what
	}
}

// late says which wait took too long.
func (t *Transmitter) late(at stage) string {
	switch at {
	case connecting:
		to := ""
		if t.proxy != nil {
			to = " to the proxy " + t.proxy.display
		}
		return fmt.Sprintf("no connection%s within %v", to, min(t.connectTimeout, t.timeout))
	case tunnelling:
		return fmt.Sprintf("no tunnel through the proxy %s within %v", t.proxy.display, t.timeout)
	case securing:
		return fmt.Sprintf("the TLS handshake did not end within %v", t.timeout)
	case sending:
		return fmt.Sprintf("the listener did not read the whole request within %v", t.timeout)
	default:
		return fmt.Sprintf("no complete answer within %v", t.timeout)
	}
}

// root is the text of an error without what packages net and crypto/tls wrap around it: addresses, of which ours
// changes with every connection, and the names of system calls.
func root(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil && op.Op != "remote error" { // that is a TLS alert, and worth saying
		return root(op.Err)
	}
	return withoutOwnAddress(err.Error())
}

// withoutOwnAddress turns "read udp 10.0.0.1:41234->10.0.0.53:53: ..." into "read udp 10.0.0.53:53: ...".
func withoutOwnAddress(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if _, remote, found := strings.Cut(word, "->"); found {
			words[i] = remote
		}
	}
	return strings.Join(words, " ")
}
