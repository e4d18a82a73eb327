package jetstream

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeServer speaks as much of the NATS protocol as a client needs that publishes and waits for
// answers. What it says to a message is up to the test.
type fakeServer struct {
	address string
	info    map[string]any
	tls     *tls.Config                                 // nil: it offers no TLS
	connect func(c *client, fields map[string]any) bool // nil: everybody is let in
	message func(c *client, m message)
	subject func(c *client, subject string) // of a subscription; nil: it is taken

	mu       sync.Mutex
	messages []message
	clients  []map[string]any // what CONNECT said
}

// message is what a client has published.
type message struct {
	Subject, Reply string
	Header         map[string]string
	Body           string
}

// client is one connection.
type client struct {
	net.Conn
	sid string
}

func (c *client) say(format string, args ...any) { fmt.Fprintf(c, format, args...) }

// answer sends body to where m wants its answer.
func (c *client) answer(m message, body string) {
	c.say("MSG %s %s %d\r\n%s\r\n", m.Reply, c.sid, len(body), body)
}

// noResponders is what a server answers by itself.
func (c *client) noResponders(m message) {
	const head = "NATS/1.0 503\r\n\r\n"
	c.say("HMSG %s %s %d %d\r\n%s\r\n", m.Reply, c.sid, len(head), len(head), head)
}

const ack = `{"stream":"S","seq":7}`

func startServer(t *testing.T, s *fakeServer) *fakeServer {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = inner.Addr().String()
	if s.message == nil {
		s.message = func(c *client, m message) { c.answer(m, ack) }
	}
	var mu sync.Mutex
	var open []net.Conn
	var running sync.WaitGroup
	running.Go(func() {
		for {
			raw, err := inner.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, raw)
			mu.Unlock()
			running.Go(func() {
				defer raw.Close()
				s.serve(&client{Conn: raw})
			})
		}
	})
	t.Cleanup(func() {
		inner.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return s
}

func (s *fakeServer) serve(c *client) {
	info := map[string]any{"server_id": "X", "version": "2.15.2", "headers": true, "max_payload": 1 << 20, "proto": 1}
	if s.tls != nil {
		info["tls_required"] = true
	}
	for k, v := range s.info {
		info[k] = v
	}
	text, _ := json.Marshal(info)
	c.say("INFO %s\r\n", text)
	if s.tls != nil {
		c.Conn = tls.Server(c.Conn, s.tls)
	}
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		if len(words) == 0 {
			return
		}
		switch words[0] {
		case "CONNECT":
			fields := map[string]any{}
			json.Unmarshal([]byte(line[len("CONNECT "):]), &fields)
			s.mu.Lock()
			s.clients = append(s.clients, fields)
			s.mu.Unlock()
			if s.connect != nil && !s.connect(c, fields) {
				return
			}
		case "PING":
			c.say("PONG\r\n")
		case "SUB":
			c.sid = words[len(words)-1]
			if s.subject != nil {
				s.subject(c, words[1])
			}
		case "PUB", "HPUB":
			m, err := readMessage(in, words)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.messages = append(s.messages, m)
			s.mu.Unlock()
			s.message(c, m)
		}
	}
}

func readMessage(in *bufio.Reader, words []string) (m message, err error) {
	if words[0] == "PUB" && len(words) == 4 { // without a head
		words = slices.Insert(words, 3, "0")
	}
	if len(words) != 5 {
		return m, errors.New("not the message of a request")
	}
	m.Subject, m.Reply, m.Header = words[1], words[2], map[string]string{}
	head, _ := strconv.Atoi(words[3])
	all, _ := strconv.Atoi(words[4])
	data := make([]byte, all+2)
	if _, err := io.ReadFull(in, data); err != nil {
		return m, err
	}
	for line := range bytes.Lines(data[:head]) {
		if name, value, found := strings.Cut(strings.TrimSpace(string(line)), ": "); found {
			m.Header[name] = value
		}
	}
	m.Body = string(data[head:all])
	return m, nil
}

func (s *fakeServer) got() []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages
}

func (s *fakeServer) connects() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients
}

func newTransmitter(t *testing.T, cfg Config) *Transmitter {
	t.Helper()
	tr, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func (s *fakeServer) url(subject string) string { return "nats://" + s.address + "/" + subject }
