package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener hands out connections that live inside a synctest bubble.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// inBubble runs a server on a clock of its own and hands test one client connection. The server has
// ended when it returns.
func inBubble(t *testing.T, c config, test func(t *testing.T, s *server, client net.Conn, end func())) {
	synctest.Test(t, func(t *testing.T) {
		s, err := newServer(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		l := newPipeListener()
		ended := make(chan error, 1)
		go func() { ended <- s.serve(ctx, l) }()
		client, served := net.Pipe()
		l.conns <- served
		test(t, s, client, cancel)
		_ = client.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
}

// silentFor returns how long nothing comes from the connection.
func silentFor(c net.Conn) (time.Duration, error) {
	begin := time.Now()
	_, err := c.Read(make([]byte, 1))
	return time.Since(begin), err
}

func ask(t *testing.T, client net.Conn) {
	t.Helper()
	if _, err := io.WriteString(client, rawPost); err != nil {
		t.Fatal(err)
	}
}

func TestWaitsAreAsLongAsTheScriptSays(t *testing.T) {
	tests := []struct {
		name, script string
		latency      time.Duration
		want         time.Duration
		wantErr      error
	}{
		{"latency", "200", 20 * time.Millisecond, 20 * time.Millisecond, nil},
		{"delay", "200:delay=3s", 0, 3 * time.Second, nil},
		{"both", "500:delay=3s", time.Second, 4 * time.Second, nil},
		{"a hang that ends", "hang:2s", 0, 2 * time.Second, io.EOF},
		{"a late hang that ends", "hang:2s;delay=1h", 0, time.Hour + 2*time.Second, io.EOF},
		{"a late close", "close:delay=5s", 0, 5 * time.Second, io.EOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, config{Script: mustParse(t, tt.script), Latency: tt.latency}, func(t *testing.T, s *server, client net.Conn, _ func()) {
				ask(t, client)
				synctest.Wait()
				if n := s.stats.snapshot(); n.InFlight != 1 {
					t.Errorf("%d requests are in flight while one waits", n.InFlight)
				}
				got, err := silentFor(client)
				if got != tt.want || !errors.Is(err, tt.wantErr) {
					t.Errorf("silence of %v ended with %v, want %v with %v", got, err, tt.want, tt.wantErr)
				}
			})
		})
	}
}

func TestHangIsSilentForADay(t *testing.T) {
	inBubble(t, config{Script: mustParse(t, "hang")}, func(t *testing.T, s *server, client net.Conn, end func()) {
		ask(t, client)
		_ = client.SetReadDeadline(time.Now().Add(24 * time.Hour))
		if got, err := silentFor(client); got != 24*time.Hour {
			t.Errorf("the hang ended after %v: %v", got, err)
		}
		_ = client.SetReadDeadline(time.Time{})
		end()
		if got, err := silentFor(client); got != 0 || err != io.EOF {
			t.Errorf("the end of the server reached the client after %v: %v", got, err)
		}
	})
}

func TestAStoppedListenerFinishesTheRequestInFlight(t *testing.T) {
	inBubble(t, config{Latency: time.Hour}, func(t *testing.T, s *server, client net.Conn, end func()) {
		ask(t, client)
		synctest.Wait()
		end()
		resp, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil || resp.StatusCode != 200 || !resp.Close {
			t.Errorf("the request in flight was answered %v, %v", resp, err)
		}
		if n := s.stats.snapshot(); n.Delivered != 1 {
			t.Errorf("the counts are %+v", n)
		}
	})
}

func TestAStoppedListenerDoesNotWaitForEverForItsClients(t *testing.T) {
	for name, text := range map[string]string{
		"for an idle connection":      "",
		"for the rest of a request":   "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
		"for the rest of the headers": "POST / HTTP/1.1\r\nContent-Le",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, config{}, func(t *testing.T, s *server, client net.Conn, end func()) {
				if _, err := io.WriteString(client, text); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				end()
				got, err := silentFor(client)
				if want := map[bool]time.Duration{true: 0, false: grace}[text == ""]; got != want || err != io.EOF {
					t.Errorf("the connection ended after %v with %v, want %v", got, err, want)
				}
				synctest.Wait()
				if n := s.stats.snapshot(); n.CutOff+n.Malformed+n.Requests+n.InFlight != 0 {
					t.Errorf("what the server cut off is counted: %+v", n)
				}
			})
		})
	}
}
