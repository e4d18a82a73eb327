//go:build linux && (amd64 || arm64)

package main

import (
	"net"
	"time"
)

// dnsAnswer is what the name server says to a question.
type dnsAnswer int

const (
	dnsFound   dnsAnswer = iota // 127.0.0.1
	dnsNone                     // NXDOMAIN
	dnsFailure                  // SERVFAIL
	dnsSilent                   // nothing
	dnsGarbage                  // not a DNS message
	dnsSlow                     // 127.0.0.1, after two and a half seconds
)

// question is a question for the IPv4 addresses of a name, or for others.
type question struct {
	ipv4 bool
	n    int // questions for IPv4 addresses before it
}

// nameServer decides about the answers of a name server.
type nameServer func(q question) dnsAnswer

// serve is a name server (RFC 1035) that knows one address.
func (s nameServer) serve(address string) (net.PacketConn, error) {
	socket, err := net.ListenPacket("udp4", address)
	if err != nil {
		return nil, err
	}
	n := 0
	go func() {
		buf := make([]byte, 1500)
		for {
			size, from, err := socket.ReadFrom(buf)
			if err != nil {
				return
			}
			query := append([]byte(nil), buf[:size]...)
			end, ipv4 := parseQuestion(query)
			if end > size {
				continue
			}
			a := s(question{ipv4, n})
			if ipv4 {
				n++
			}
			delay := time.Duration(0)
			if a == dnsSlow {
				a, delay = dnsFound, 2500*time.Millisecond
			}
			if a != dnsSilent {
				time.AfterFunc(delay, func() { socket.WriteTo(dnsReply(query[:end], ipv4, a), from) })
			}
		}
	}()
	return socket, nil
}

const headerSize = 12

// parseQuestion returns the end of the question in a query.
func parseQuestion(query []byte) (end int, ipv4 bool) {
	end = headerSize
	for end < len(query) && query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5 // the root label, type and class
	return end, end <= len(query) && query[end-4] == 0 && query[end-3] == 1
}

// dnsReply makes the reply to a query that ends with its question.
func dnsReply(query []byte, ipv4 bool, a dnsAnswer) []byte {
	if a == dnsGarbage {
		return []byte("\x1b[31mnot a DNS message")
	}
	query[2], query[3] = 0x84, 0 // an authoritative response
	query[4], query[5] = 0, 1
	copy(query[6:headerSize], make([]byte, 6))
	switch {
	case a == dnsNone:
		query[3] = 3
	case a == dnsFailure:
		query[3] = 2
	case ipv4:
		query[7] = 1
		return append(query, 0xc0, headerSize, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return query
}
