package main

import (
	"errors"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// transmitHints returns what to do about a request that delivered nothing, by the cause.
func transmitHints() map[transmit.Cause]string {
	return map[transmit.Cause]string{
		transmit.Unauthorized:       "the listener wants other credentials: check --token-file, --token-command or --header",
		transmit.NoEndpoint:         "no endpoint at this path: check --url",
		transmit.ProxyCredentials:   "the proxy wants credentials: put them into its URL in the environment",
		transmit.CompressionRefused: "the listener may not read compressed bodies: try without --compress",
		transmit.Moved:              "redirects are not followed, check --url",
		transmit.Unexpected:         "a captive portal, a proxy or another site may have answered: check --url and --expect-header",
		transmit.WantsTLS:           "the listener speaks TLS: write https:// in --url",

		transmit.NoSuchHost:     "check the name in --url",
		transmit.LookupFailed:   "check this machine's name servers",
		transmit.SlowLookup:     "the name servers are slow or silent: check /etc/resolv.conf, or raise --timeout",
		transmit.Refused:        "nothing listens there: start the listener, or check --url",
		transmit.ConnectTimeout: "the host is down or a firewall drops the packets: check --url, or raise --connect-timeout",
		transmit.SlowListener:   "the listener is slow or stuck: look at it, or raise --timeout",
		transmit.ProxyRefused:   "check https_proxy and no_proxy in the environment",
		transmit.ProxyFailed:    "check the proxy's URL in the environment",
		transmit.SpeaksPlain:    "the listener speaks plain HTTP: write http:// in --url",

		transmit.UnknownAuthority:   "the certificate was signed by an authority that is not known here: name the authority's with --ca-file",
		transmit.WrongName:          "the certificate is for another name: write that name in --url",
		transmit.CertificateExpired: "renew the listener's certificate, or set this machine's clock",
		transmit.OldTLS:             "the listener speaks no TLS newer than 1.1: 1.2 is the least that is accepted",
		transmit.NoCommonTLS:        "the two sides have no TLS settings in common, or the listener wants a client certificate: check --cert-file",
		transmit.WantsCertificate:   "the listener wants a client certificate: check --cert-file and --key-file",
		transmit.UnknownCertificate: "the listener does not know who signed the client certificate: check --cert-file",
		transmit.NotHTTP:            "the listener does not speak HTTP/1.1 there: check --url",

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
