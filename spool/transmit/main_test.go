package transmit

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Go's resolver makes its semaphore for the first lookup. It must not belong to the bubble of a
	// test.
	_, _ = (&net.Resolver{PreferGo: true}).LookupHost(context.Background(), "localhost")
	goleak.VerifyTestMain(m)
}

// watched is how long a transmitter's first connection is watched before the request leaves, if
// connecting takes no time.
const watched = 2 * time.Millisecond

// rawListener accepts connections and hands each to a function. It closes them when the test ends.
type rawListener struct {
	address  string
	accepted atomic.Int64
}

func (l *rawListener) url() string { return "http://" + l.address }

func listen(t testing.TB, config *tls.Config, handle func(c net.Conn, number int)) *rawListener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &rawListener{address: inner.Addr().String()}
	var mu sync.Mutex
	var open []net.Conn
	var running sync.WaitGroup
	running.Go(func() {
		for {
			raw, err := inner.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			} else if err != nil {
				continue // for want of descriptors, in the test of that
			}
			number := int(l.accepted.Add(1))
			mu.Lock()
			open = append(open, raw)
			mu.Unlock()
			running.Go(func() {
				defer raw.Close()
				c := raw
				if config != nil {
					session := tls.Server(raw, config)
					if session.Handshake() != nil {
						return
					}
					c = session
				}
				handle(c, number)
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
	return l
}

// answering returns a handler that reads requests whole and answers each with the same bytes.
func answering(answer string) func(net.Conn, int) {
	return func(c net.Conn, _ int) {
		br := bufio.NewReader(c)
		for readRequest(br) == nil {
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	}
}

// readRequest reads one request with its body.
func readRequest(br *bufio.Reader) error {
	r, err := http.ReadRequest(br)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

// untilClosed waits for the client to close the connection.
func untilClosed(c net.Conn) { io.Copy(io.Discard, c) }

func newTransmitter(t testing.TB, cfg Config) *Transmitter {
	t.Helper()
	if cfg.Getenv == nil {
		cfg.Getenv = func(string) string { return "" }
	}
	tr, err := New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func send(tr *Transmitter, body string) Verdict {
	return tr.Send(context.Background(), Request{Body: []byte(body), Key: "key"})
}

// server runs handler; every request counts its connection.
func server(t testing.TB, handler http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var accepted atomic.Int64
	s := httptest.NewUnstartedServer(handler)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			accepted.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, &accepted
}

func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := t.TempDir() + "/" + name
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustHold checks the parts of a verdict that are given.
func mustHold(t *testing.T, v Verdict, action Action, status int, inError string) {
	t.Helper()
	if v.Action != action || v.Status != status {
		t.Errorf("verdict is %v with status %d, want %v with %d (error: %v)", v.Action, v.Status, action, status, v.Err)
	}
	if (v.Err == nil) != (action == Delivered) {
		t.Errorf("a verdict of %v has the error %v", v.Action, v.Err)
	}
	if inError != "" && (v.Err == nil || !bytes.Contains([]byte(v.Err.Error()), []byte(inError))) {
		t.Errorf("the error is %q, want %q in it", v.Err, inError)
	}
}

func mustHaveCause(t *testing.T, err error, want Cause) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Cause != want {
		t.Errorf("the cause of %v is %+v, want cause %d", err, e, want)
	}
}

var errRefusedInTest = errors.New("refused by the test")
