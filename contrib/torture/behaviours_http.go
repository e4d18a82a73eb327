//go:build linux && (amd64 || arm64)

package main

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"time"
)

// oddAnswers are listeners that HTTP/1.1 (RFC 9112) does not know: wrong lengths,
// wrong bytes, wrong order, wrong protocol.
func oddAnswers() []behaviour {
	const failed = 69
	interim := "HTTP/1.1 102 Processing\r\n\r\n"
	return []behaviour{
		{name: "has a NUL in a header", do: says(200, "HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n")},
		{name: "announces two lengths", do: saysOnce(200, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nhello")},
		{name: "announces a length and chunks", do: saysOnce(200, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
		// The rest of a body must not be taken for the answer to the next item.
		{name: "announces less than it sends", do: says(200, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhe"+okay)},
		{name: "announces more than it sends", code: failed, tells: "answered 500", do: saysOnce(500, "HTTP/1.1 500 No\r\nContent-Length: 2000000\r\n\r\nhello")},
		{name: "announces a negative length", do: saysOnce(200, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello")},
		{name: "sends chunks that are none", code: 65, tells: "rejected", do: saysOnce(400, "HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\nhello")},
		{name: "sends trailers without end", do: floods(200, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n")},
		{name: "sends as many interim answers as it may", do: says(200, strings.Repeat(interim, 16)+okay)},
		{name: "sends one interim answer too many", code: failed, tells: "interim", do: saysOnce(0, strings.Repeat(interim, 17)+okay)},
		{name: "switches protocols", code: failed, tells: "answered 101", do: saysOnce(101, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"+okay)},
		{name: "has a status that nobody knows", code: failed, tells: "answered 999", do: says(999, "HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n")},
		{name: "has a status of four digits", code: failed, tells: "status line", do: saysOnce(0, "HTTP/1.1 2000 OK\r\n\r\n")},
		{name: "speaks SSH", code: failed, tells: "status line", do: saysOnce(0, "SSH-2.0-OpenSSH_9.9\r\n")},
		{name: "trickles the body of a success", do: func(c net.Conn, take func(int) error) {
			if take(200) != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
			for range 60000 {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}},
	}
}

// Frames of HTTP/2 (RFC 9113, section 4.1): length, type, flags, stream, payload.
const (
	settingsFrame = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	resetFrame    = "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x02"
	goAwayFrame   = "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)

// http2Behaviours speak HTTP/2 to a program that has not asked for it, whatever
// the handshake agreed on: HTTP/1.1, or nothing.
func http2Behaviours(good func(*authority) *tls.Config) []behaviour {
	insists := func(ca *authority) *tls.Config {
		c := good(ca)
		c.NextProtos = []string{"h2"}
		return c
	}
	return []behaviour{
		{name: "TLS: HTTP/2 with GOAWAY", tls: good, code: 69, tells: "HTTP/2", do: saysOnce(0, settingsFrame+goAwayFrame)},
		{name: "TLS: HTTP/2 with RST_STREAM", tls: good, code: 69, tells: "HTTP/2", do: saysOnce(0, settingsFrame+resetFrame)},
		{name: "TLS: RST_STREAM before anything else", tls: good, code: 69, tells: "status line", do: saysOnce(0, resetFrame)},
		{name: "TLS: HTTP/2 for want of agreement", tls: insists, code: 69, tells: "HTTP/2", do: saysOnce(0, settingsFrame)},
	}
}
