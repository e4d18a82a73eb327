package transmit

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// Cause is a kind of failure for which a program can give advice.
type Cause int

const (
	Unknown Cause = iota

	// The listener answered.
	Unauthorized       // 401, 403
	Forbidden          // 403 by way of a proxy that hands requests on: by it or by the listener
	NoCredentials      // the same, to requests that carry neither a token nor anything like one
	NoEndpoint         // 404, 405: nothing takes payloads at this path
	ProxyCredentials   // 407, by whoever
	CompressionRefused // 415 to a compressed body
	TypeRefused        // 415 to a plain one
	GatewayFailed      // 502, 504: by a gateway, a balancer or a proxy
	NetworkLogin       // 511: by a network that wants a login
	Moved              // a redirect, with Location
	PartlyTaken        // it says that some items of a batch were not taken
	Unexpected         // it would deliver, and lacks Config.ExpectHeader
	WantsTLS           // the listener speaks TLS, and the URL begins with http://

	// There was no answer.
	NoSuchHost
	LookupFailed
	SlowLookup     // no name server answered in time
	Refused        // nothing listens there
	ConnectTimeout // the host is down, or the packets are dropped
	SlowListener   // connected, and then the time was up
	ProxyRefused   // the proxy opened no tunnel
	ProxyAtALoss   // the proxy could not connect to the listener
	ProxyFailed    // the proxy could not be reached or used
	SocketFailed   // the Unix socket could not be connected to
	SpeaksPlain    // the listener speaks plain HTTP, and the URL begins with https://
	PerhapsTLS     // the listener closed the connection, and the URL begins with http://
	PerhapsPlain   // the listener closed the connection in the handshake
	SlowHandshake  // the time was up in the handshake
	NoInterface    // a link-local address without an interface that is known here

	// TLS failed.
	UnknownAuthority
	LoneCertificate // by an authority that is not known, and without those in between
	WrongName
	NoName // in the certificate
	CertificateExpired
	WeakSignature
	WrongUsage     // not a server's certificate
	BadCertificate // for another reason
	OldTLS
	NoCommonTLS
	WantsCertificate
	UnknownCertificate // the listener does not know who signed the client certificate
	NotHTTP            // the listener does not speak HTTP/1.1 there

	// The listener is a NATS server.
	NATSRefused        // it does not take the credentials
	NATSNoCredentials  // the same, and there are none
	NATSPlain          // it offers no TLS
	NATSSilent         // it, or something else there, says nothing or closes
	NATSStranger       // something else answers
	NATSPublishDenied  // the user may not publish to the subject
	NATSRepliesDenied  // the user may not subscribe to the answers
	NATSNoStream       // nothing takes the subject: no stream, no leader, or no JetStream
	NATSNotStored      // something took the item that is not a stream
	NATSTooLarge       // for the server, or for the stream
	NATSStreamFull     // and keeps what it has
	NATSNotShown       // the stream may have the item, and does not show it
	NATSNoAnswer       // the stream acknowledged nothing in time
	NATSUnavailable    // the stream takes nothing at the moment
	NATSConnectionLost // before the answer

	NoToken // the token command gave none

	// This machine ran out of something.
	NoDescriptors
	NoResources
)

// causeOf names the cause of a request without an answer.
func (t *Transmitter) causeOf(e *h1.Error) Cause {
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var refusal *h1.Refusal
	certificate, _ := certificateFault(e)
	switch {
	case isErrno(e, syscall.EMFILE):
		return NoDescriptors
	case OutOfResources(e):
		return NoResources
	case errors.As(e, &refusal) && refusal.Status == 407:
		return ProxyCredentials
	case errors.As(e, &refusal) && refusal.Status >= 502 && refusal.Status <= 504:
		return ProxyAtALoss
	case errors.As(e, &refusal):
		return ProxyRefused
	case t.proxy != nil && e.Stage <= h1.Tunnelling:
		return ProxyFailed
	case t.socket != "" && e.Stage == h1.Connecting:
		return SocketFailed
	case errors.As(e, &dns) && dns.IsNotFound:
		return NoSuchHost
	case errors.As(e, &dns) && dns.IsTimeout:
		return SlowLookup
	case errors.As(e, &dns):
		return LookupFailed
	case certificate != Unknown:
		return certificate
	case errors.As(e, &record) && strings.HasPrefix(string(record.RecordHeader[:]), "HTTP/"):
		return SpeaksPlain
	case errors.Is(e, h1.ErrTLS):
		return WantsTLS
	case errors.Is(e, h1.ErrUnasked) || errors.Is(e, h1.ErrNotHTTP) || errors.Is(e, h1.ErrHTTP2):
		return NotHTTP
	case errors.Is(e, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(e, syscall.EINVAL) && e.Stage == h1.Connecting:
		return NoInterface
	case isClosed(e) && e.Stage == h1.Securing:
		return PerhapsPlain
	case e.Ended && !t.target.secure:
		return PerhapsTLS
	case isTimeout(e) && e.Stage == h1.Connecting:
		return ConnectTimeout
	case isTimeout(e) && e.Stage == h1.Securing:
		return SlowHandshake
	case isTimeout(e):
		return SlowListener
	}
	return causeOfAlert(e.Err)
}

// isClosed reports whether the other side ended the connection.
func isClosed(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) }

// causeOfAlert reads the TLS alerts by which a listener says what is missing. crypto/tls offers
// them as text only.
func causeOfAlert(err error) Cause {
	for _, alert := range [...]struct {
		text  string
		cause Cause
	}{
		{"tls: protocol version not supported", OldTLS},
		{"tls: server selected unsupported protocol version", OldTLS},
		{"tls: certificate required", WantsCertificate},
		{"tls: bad certificate", WantsCertificate},
		{"tls: handshake failure", NoCommonTLS},
		{"tls: unknown certificate authority", UnknownCertificate},
		{"tls: no application protocol", NotHTTP},
	} {
		if strings.Contains(err.Error(), alert.text) {
			return alert.cause
		}
	}
	return Unknown
}
