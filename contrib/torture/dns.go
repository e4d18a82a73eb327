//go:build linux && (amd64 || arm64)

package main

import (
	"net"
	"sync/atomic"
)

// dnsAnswer is what the name server says to a question.
type dnsAnswer int

const (
	dnsFound   dnsAnswer = iota // 127.0.0.1
	dnsNone                     // NXDOMAIN
	dnsFailure                  // SERVFAIL
	dnsSilent                   // nothing
	dnsGarbage                  // not a DNS message
)

// serveNames is a name server (RFC 1035) that knows one address. answer is given how many questions
// for IPv4 addresses came before.
func serveNames(address string, answer func(n int) dnsAnswer) (net.PacketConn, error) {
	socket, err := net.ListenPacket("udp4", address)
	if err != nil {
		return nil, err
	}
	var n atomic.Int64
	go func() {
		buf := make([]byte, 1500)
		for {
			size, from, err := socket.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := answerTo(buf[:size], &n, answer); reply != nil {
				socket.WriteTo(reply, from)
			}
		}
	}()
	return socket, nil
}

// answerTo makes the reply to one question; nil is none.
func answerTo(query []byte, n *atomic.Int64, answer func(n int) dnsAnswer) []byte {
	const header, typeA = 12, 1
	end := header
	for end < len(query) && query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5 // the root label, type and class
	if end > len(query) {
		return nil
	}
	isA := int(query[end-4])<<8|int(query[end-3]) == typeA
	a := answer(int(n.Load()))
	if isA {
		n.Add(1)
	}
	switch {
	case a == dnsSilent:
		return nil
	case a == dnsGarbage:
		return []byte("\x1b[31mnot a DNS message")
	}
	reply := append([]byte(nil), query[:end]...)
	reply[2], reply[3] = 0x84, 0 // an authoritative response
	reply[4], reply[5] = 0, 1
	copy(reply[6:header], make([]byte, 6))
	switch {
	case a == dnsNone:
		reply[3] = 3
	case a == dnsFailure:
		reply[3] = 2
	case isA:
		reply[7] = 1
		reply = append(reply, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return reply
}
