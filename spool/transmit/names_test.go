package transmit

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"context"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsReply is what a name server says to a question.
type dnsReply struct {
	silent    bool
	garbage   bool // not a DNS message
	after     time.Duration
	addresses []string // of which those of the family asked for are told
	code      dnsmessage.RCode
}

func tells(addresses ...string) dnsReply { return dnsReply{addresses: addresses} }

// resolver asks name servers that are functions, at the other end of pipes. n counts the questions,
// both families' in the order in which they are asked.
func resolver(t *testing.T, say func(n int, family dnsmessage.Type) dnsReply) *net.Resolver {
	t.Helper()
	questions := make(chan int, 1)
	questions <- 0
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		n := <-questions
		questions <- n + 1
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			answerQuestion(theirs, func(family dnsmessage.Type) dnsReply { return say(n, family) })
		}()
		return ours, nil
	}}
}

// answerQuestion speaks DNS as over TCP (RFC 1035 section 4.2.2), because the resolver does so over
// any connection that does not carry packets.
func answerQuestion(c net.Conn, say func(family dnsmessage.Type) dnsReply) {
	var length uint16
	if binary.Read(c, binary.BigEndian, &length) != nil {
		return
	}
	query := make([]byte, length)
	if _, err := io.ReadFull(c, query); err != nil {
		return
	}
	answer, after := answerTo(query, say)
	if answer == nil {
		untilClosed(c)
		return
	}
	time.Sleep(after) // in a bubble
	c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
}

// answerTo makes the answer to a query; nil is none.
func answerTo(query []byte, say func(family dnsmessage.Type) dnsReply) ([]byte, time.Duration) {
	var m dnsmessage.Message
	if m.Unpack(query) != nil {
		return nil, 0
	}
	q := m.Questions[0]
	r := say(q.Type)
	if r.silent {
		return nil, 0
	}
	if r.garbage {
		return []byte("\x1b[31mnot DNS"), r.after
	}
	m.Response, m.RecursionAvailable, m.RCode, m.Additionals = true, true, r.code, nil
	for _, text := range r.addresses {
		address := netip.MustParseAddr(text)
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch {
		case q.Type == dnsmessage.TypeA && address.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address.As4()}})
		case q.Type == dnsmessage.TypeAAAA && address.Is6():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}})
		}
	}
	packed, err := m.Pack()
	if err != nil {
		return nil, 0
	}
	return packed, r.after
}
