package h1

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// certificate is a self-signed one for a test's listener.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

// layers are what may lie between TCP and HTTP.
var layers = []string{"nothing", "TLS", "TLS to a proxy"}

// clientOf returns a client of a listener that hands each connection to serve.
func clientOf(t *testing.T, layer string, serve func(c net.Conn)) *Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if layer != "nothing" {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	}
	served := make(chan bool)
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
	cl := &Client{MaxIdle: 1, Dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}}
	switch config := (&tls.Config{InsecureSkipVerify: true}); layer {
	case "TLS":
		cl.TLS = config
	case "TLS to a proxy":
		cl.ProxyTLS = config
	}
	t.Cleanup(func() {
		cl.Close()
		l.Close()
		<-served
	})
	return cl
}

func open(t *testing.T, cl *Client) *Conn {
	t.Helper()
	c, err := cl.Open(context.Background(), time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func post(c *Conn, a *Answer) error {
	head := append(c.Buffer(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"...)
	return c.RoundTrip(context.Background(), head, []byte("{}"), a)
}

func readRequest(br *bufio.Reader) error {
	r, err := http.ReadRequest(br)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

func overEachLayer(t *testing.T, test func(t *testing.T, layer string)) {
	for _, layer := range layers {
		t.Run(layer, func(t *testing.T) { test(t, layer) })
	}
}

// A payload that nobody read would be removed.
func TestBytesBeforeTheFirstRequestAreNotItsAnswer(t *testing.T) {
	overEachLayer(t, func(t *testing.T, layer string) {
		sent := make(chan bool)
		cl := clientOf(t, layer, func(c net.Conn) {
			io.WriteString(c, ok)
			sent <- true
			io.Copy(io.Discard, c)
		})
		// The handshake, if any, is made by the listener's first write.
		opened := make(chan *Conn)
		go func() {
			c, err := cl.Open(context.Background(), time.Now().Add(time.Minute))
			if err != nil {
				t.Error(err)
			}
			opened <- c
		}()
		<-sent
		var a Answer
		err := post(<-opened, &a)
		var e *Error
		if !errors.As(err, &e) || e.Err != ErrUnasked || !e.Unsent {
			t.Errorf("the exchange ends with %v and status %d, want %v and nothing sent", err, a.Status, ErrUnasked)
		}
	})
}

func TestAnIdleConnectionWithUnreadBytesIsNotUsedAgain(t *testing.T) {
	overEachLayer(t, func(t *testing.T, layer string) {
		more, sent := make(chan bool), make(chan bool)
		cl := clientOf(t, layer, func(c net.Conn) {
			readRequest(bufio.NewReader(c))
			io.WriteString(c, ok)
			<-more
			io.WriteString(c, ok)
			sent <- true
			io.Copy(io.Discard, c)
		})
		c := open(t, cl)
		var a Answer
		if err := post(c, &a); err != nil {
			t.Fatal(err)
		}
		c.Finish(&a, nil)
		kept := cl.Idle(time.Now().Add(time.Minute))
		if kept != c {
			t.Fatal("a quiet connection is not kept")
		}
		cl.keep(kept)
		more <- true
		<-sent
		if cl.Idle(time.Now().Add(time.Minute)) != nil {
			t.Error("a connection with a second answer on it is used again")
		}
	})
}

// holding is a layer that has read more from the socket than it was asked for.
type holding struct{ net.Conn }

func (holding) Read(b []byte) (int, error) { return copy(b, ok), nil }

// TLS may take two answers from the socket together and hand out the first. Nothing is on the
// socket then.
func TestAnIdleConnectionWhoseTLSLayerHoldsBytesIsNotUsedAgain(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	c := newConn(new(Client), ours)
	defer c.Close()
	if err := c.look(); err != nil {
		t.Errorf("a quiet connection is unfit: %v", err)
	}
	c.top = holding{c.top}
	if err := c.look(); err != ErrUnasked {
		t.Errorf("looking at what the layer holds ends with %v, want %v", err, ErrUnasked)
	}
}

func TestAnErrorTellsWhetherThePeerEndedTheConnectionBeforeAnAnswer(t *testing.T) {
	for _, test := range []struct {
		name  string
		after string // what the listener writes before it closes
		ended bool
	}{
		{"nothing", "", true},
		{"a part of a status line", "HTTP/1.1 2", false},
		{"an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cl := clientOf(t, "nothing", func(c net.Conn) {
				readRequest(bufio.NewReader(c))
				io.WriteString(c, test.after)
			})
			var a Answer
			var e *Error
			if err := post(open(t, cl), &a); !errors.As(err, &e) || e.Ended != test.ended || e.Unsent || e.Stage != Receiving {
				t.Errorf("the exchange ends with %+v, want Ended %v while receiving", e, test.ended)
			}
		})
	}
}

// A process that was stopped for longer than its timeout finds the answer when it goes on.
func TestAnAnswerThatIsHereCountsAfterTheDeadline(t *testing.T) {
	overEachLayer(t, func(t *testing.T, layer string) {
		for _, answered := range []bool{true, false} {
			gone := make(chan bool, 1)
			cl := clientOf(t, layer, func(c net.Conn) {
				in := bufio.NewReader(c)
				readRequest(in)
				io.WriteString(c, ok)
				if readRequest(in); answered {
					io.WriteString(c, ok)
				}
				gone <- true
				io.Copy(io.Discard, in)
			})
			c := open(t, cl)
			var a Answer
			if err := post(c, &a); err != nil {
				t.Fatal(err)
			}
			c.Finish(&a, nil)
			c = cl.Idle(time.Now().Add(time.Minute))
			// The request goes out in time, and then the deadline is over before the answer is
			// read.
			if _, err := c.out.Write([]byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")); err != nil {
				t.Fatal(err)
			}
			<-gone
			c.socket.SetDeadline(time.Unix(1, 0))
			a = Answer{}
			if err := a.read(c.in); answered != (err == nil) {
				t.Errorf("with the answer sent: %v, reading it after the deadline ends with %v", answered, err)
			}
			c.Close()
		}
	})
}
