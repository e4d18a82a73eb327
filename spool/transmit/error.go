package transmit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// Error is why a request delivered nothing. It is one line without secrets, made of the URL and a
// sentence about the cause. The same cause gives the same text, so that equal errors can be counted
// as one. The text therefore holds no port of this machine, no time, and no address out of several.
type Error struct {
	URL      string // the listener's, for display
	Cause    Cause  // for callers that have advice to give
	Status   int    // of the answer; 0 is none
	Location string // where a redirect points to, as it may be shown
	Err      error  // what others reported; nil for an answer

	sentence string
}

func (e *Error) Error() string { return e.URL + ": " + e.sentence }
func (e *Error) Unwrap() error { return e.Err }

// newError makes an error of a sentence in which others had a part.
func (t *Transmitter) newError(cause Cause, err error, sentence string) *Error {
	return &Error{URL: t.target.display, Cause: cause, Err: err, sentence: t.shown(sentence, 300)}
}

// shown returns the beginning of what others have said, printable and without the secrets.
func (t *Transmitter) shown(text string, limit int) string {
	head := text[:min(len(text), maxExcerpt)]
	return shortened(t.secrets.cut(head, len(head) < len(text)), limit)
}

// failed is the verdict of a request that got no answer.
func (t *Transmitter) failed(ctx context.Context, err error) Verdict {
	if cause := over(ctx); cause != nil {
		return Verdict{Action: Aborted, Err: t.newError(Unknown, cause, "the request was cancelled")}
	}
	var e *h1.Error
	if !errors.As(err, &e) {
		e = &h1.Error{Err: err}
	}
	v := Verdict{
		Action: Kept,
		Sent:   e.Stage >= h1.Sending && !e.Unsent,
		Err:    t.newError(t.causeOf(e), err, t.sentence(e)),
	}
	if OutOfResources(err) {
		v.Action, v.Sent = Aborted, false
	}
	return v
}

// OutOfResources reports whether an error means that descriptors or kernel memory have run out on
// this machine. Such an error says nothing about the listener or a payload.
//
// EADDRNOTAVAIL is deliberately missing: it means exhausted ports, but it is also the usual answer
// for ::1 where IPv6 is off. ENETUNREACH and EPERM are missing because they can last for days. The
// breaker has to hear of those, or every run would try every payload.
func OutOfResources(err error) bool {
	return slices.ContainsFunc([]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS},
		func(errno syscall.Errno) bool { return isErrno(err, errno) })
}

// isErrno also looks into a resolver's error, which keeps nothing of its cause but the text.
func isErrno(err error, errno syscall.Errno) bool {
	var dns *net.DNSError
	return errors.Is(err, errno) || errors.As(err, &dns) && strings.HasSuffix(dns.Err, errno.Error())
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// sentence says what went wrong.
func (t *Transmitter) sentence(e *h1.Error) string {
	var dns *net.DNSError
	var refusal *h1.Refusal
	switch {
	case errors.As(e, &dns) && dns.IsNotFound:
		return "no such host: " + dns.Name
	case errors.As(e, &dns) && dns.IsTimeout:
		return "the lookup of " + dns.Name + " got no answer in time"
	case errors.As(e, &dns):
		return "the lookup of " + dns.Name + " failed: " + withoutOwnAddress(dns.Err)
	case errors.As(e, &refusal):
		return fmt.Sprintf("the proxy %s opened no tunnel: it %v", t.proxy.display, refusal)
	case isTimeout(e):
		return t.late(e.Stage)
	}
	what := root(e.Err)
	certificate, fault := certificateFault(e)
	switch {
	case certificate != Unknown:
		what = "the certificate " + fault
	case errors.Is(e, h1.ErrUnasked):
		return "the listener sent something before it was asked"
	case errors.Is(e, io.ErrUnexpectedEOF):
		what = "the connection was closed in the middle of an answer"
	case errors.Is(e, io.EOF):
		what = "the connection was closed without an answer"
	case errors.Is(e, syscall.EPIPE):
		what = "the connection was closed"
	}
	switch {
	case e.Stage == h1.Connecting:
		return "connecting" + t.toPeer() + ": " + what
	case e.Stage == h1.Tunnelling:
		return "the proxy " + t.proxy.display + ": " + what
	case certificate != Unknown:
		return what
	}
	return e.Stage.String() + ": " + what
}

// toPeer names what is connected to, where that is not the listener of the URL.
func (t *Transmitter) toPeer() string {
	switch {
	case t.socket != "":
		return " to the Unix socket " + t.socket
	case t.proxy != nil:
		return " to the proxy " + t.proxy.display
	}
	return ""
}

// late says which wait took too long.
func (t *Transmitter) late(at h1.Stage) string {
	switch at {
	case h1.Connecting:
		return fmt.Sprintf("no connection%s within %v", t.toPeer(), min(t.connectTimeout, t.timeout))
	case h1.Tunnelling:
		return fmt.Sprintf("no tunnel through the proxy %s within %v", t.proxy.display, t.timeout)
	case h1.Securing:
		return fmt.Sprintf("the TLS handshake did not end within %v", t.timeout)
	case h1.Sending:
		return fmt.Sprintf("the listener did not read the whole request within %v", t.timeout)
	default:
		return fmt.Sprintf("no complete answer within %v", t.timeout)
	}
}

// root is the text of an error without the wrapping of packages net and crypto/tls: addresses, of
// which ours changes with every connection, and the names of system calls.
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

// withoutOwnAddress turns "read udp 10.0.0.1:41234->10.0.0.53:53: ..." into "read udp 10.0.0.53:53:
// ...".
func withoutOwnAddress(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if _, remote, found := strings.Cut(word, "->"); found {
			words[i] = remote
		}
	}
	return strings.Join(words, " ")
}
