package main

import (
	"errors"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// transmitHints returns what to do about a request that delivered nothing, by the cause.
func transmitHints() map[transmit.Cause]string {
	return map[transmit.Cause]string{
		transmit.Unauthorized:       "the listener wants other credentials: check --token-file, --token-command or --header",
		transmit.NoCredentials:      "check --token-file, --token-command or --header; with sudo, the token of the systemd unit is found in /etc/credstore",
		transmit.NoEndpoint:         "no endpoint at this path: check --url",
		transmit.ProxyCredentials:   "the proxy wants credentials: put them into its URL, in --proxy or the environment",
		transmit.Forbidden:          "the proxy's rules forbid it, or the listener wants other credentials: have the host allowed there, or check --token-file",
		transmit.TypeRefused:        "the listener wants another media type: check --content-type",
		transmit.GatewayFailed:      "a gateway in front of the listener answers: look at the listener behind it",
		transmit.NetworkLogin:       "a network on the way wants a login: open any page in a browser there",
		transmit.CompressionRefused: "the listener may not read compressed bodies: try without --compress",
		transmit.PartlyTaken:        "the items are kept and sent again in smaller requests, down to the one that the listener does not take",
		transmit.Moved:              "redirects are not followed, check --url",
		transmit.Unexpected:         "a captive portal, a proxy or another site may have answered: check --url and --expect-header",
		transmit.WantsTLS:           "the listener speaks TLS: write https:// in --url",

		transmit.NoSuchHost:     "check the name in --url",
		transmit.LookupFailed:   "check this machine's name servers",
		transmit.SlowLookup:     "the name servers are slow or silent: check /etc/resolv.conf, or raise --timeout",
		transmit.Refused:        "nothing listens there: start the listener, or check --url",
		transmit.ConnectTimeout: "the host is down or a firewall drops the packets: check --url, or raise --connect-timeout",
		transmit.SlowListener:   "the listener is slow or stuck: look at it, or raise --timeout",
		transmit.ProxyRefused:   "the proxy's rules do not let it connect there: have the host allowed, or name it in no_proxy",
		transmit.ProxyAtALoss:   "the proxy does not reach the listener: check the host in --url, or name it in no_proxy",
		transmit.ProxyFailed:    "check the proxy's URL in the environment, or --proxy",
		transmit.SocketFailed:   "check --unix-socket: something must listen there and let the user of the run in",
		transmit.PerhapsTLS:     "the listener may have failed, or speak TLS: look at its log, or write https:// in --url",
		transmit.PerhapsPlain:   "the listener may refuse the name in --url, or speak plain HTTP: look at its log, or write http:// in --url",
		transmit.SlowHandshake:  "the listener may be stuck, or speak plain HTTP and wait for more: look at it, or write http:// in --url",
		transmit.NoInterface:    "an address that begins with fe80: needs its interface, as in [fe80::1%25eth0]; a unit needs AF_NETLINK for that, or the interface's number",
		transmit.SpeaksPlain:    "the listener speaks plain HTTP: write http:// in --url",

		transmit.UnknownAuthority:   "name the signer's certificate with --ca-file",
		transmit.LoneCertificate:    "the listener must also send the certificates between its own and a known one; of an authority of your own, name the certificate with --ca-file",
		transmit.WrongName:          "write the certificate's name in --url",
		transmit.NoName:             "a common name does not count: the listener's certificate needs a subject alternative name",
		transmit.WeakSignature:      "the listener needs a new certificate, with a signature of SHA-256 or better",
		transmit.WrongUsage:         "the listener needs a certificate with the extended key usage serverAuth",
		transmit.BadCertificate:     "the listener needs another certificate",
		transmit.CertificateExpired: "renew the listener's certificate, or set this machine's clock",
		transmit.OldTLS:             "the listener speaks no TLS newer than 1.1: 1.2 is the least that is accepted",
		transmit.NoCommonTLS:        "the listener offers nothing secure (old ciphers, or only RSA key exchange), or wants a client certificate: check its TLS settings, and --cert-file",
		transmit.WantsCertificate:   "the listener wants a client certificate: check --cert-file and --key-file",
		transmit.UnknownCertificate: "the listener does not know who signed the client certificate: check --cert-file",
		transmit.NotHTTP:            "the listener does not speak HTTP/1.1 there: check --url",

		transmit.NATSRefused:        "the server wants other credentials: check --token-file, --creds-file or --cert-file",
		transmit.NATSNoCredentials:  "check --token-file, --creds-file or --cert-file; with sudo, the token of the systemd unit is found in /etc/credstore",
		transmit.NATSPlain:          "write nats:// or ws:// in --url, or have the server offer TLS; --ca-file and --cert-file ask for TLS, too",
		transmit.NATSSilent:         "something else may listen at the port in --url; a server that wants TLS first needs handshake_first: auto; a slow one needs more --connect-timeout",
		transmit.NATSStranger:       "check the scheme and the port in --url: NATS listens at 4222 unless it is told otherwise",
		transmit.NATSPublishDenied:  "allow the user to publish to the subject in --url",
		transmit.NATSRepliesDenied:  "allow the user to subscribe to _INBOX.>, where acknowledgements come",
		transmit.NATSNoStream:       "check the subject in --url; 'nats stream ls --subject SUBJECT' shows who takes it, and 'nats stream add' makes a stream",
		transmit.NATSNotStored:      "a program other than a stream answers at the subject: check --url",
		transmit.NATSTooLarge:       "raise max_payload of the servers, and max-msg-size of the stream; 'spoolfwd rejected retry' then brings the item back",
		transmit.NATSStreamFull:     "look at 'nats stream info' and at the server's disk: the stream keeps what it has, and takes nothing new until there is room",
		transmit.NATSNotShown:       "allow the user to ask $JS.API.STREAM.MSG.GET.*, and let servers map no subjects to this stream",
		transmit.NATSNoAnswer:       "the stream is slow, or has --no-ack: 'spoolfwd check' looks at it; or raise --timeout",
		transmit.NATSUnavailable:    "look at the stream with 'nats stream info', and at the server's log",
		transmit.NATSConnectionLost: "the item goes out again under the same key; look at the server's log",

		transmit.NoToken: "nothing was sent: try the command of --token-command as the user of the run; it runs without a shell",

		transmit.NoDescriptors: "raise the limit of open files (ulimit -n, LimitNOFILE=)",
		transmit.NoResources:   "this machine ran out of a resource; the listener is not to blame",
	}
}

// transmitHint says what to do about an error of package transmit, or "".
func transmitHint(err error) string {
	var e *transmit.Error
	if !errors.As(err, &e) {
		return ""
	}
	hint := transmitHints()[e.Cause]
	if e.Location != "" {
		hint = "moved to " + e.Location + ": " + hint
	}
	return hint
}
