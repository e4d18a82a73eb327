package transmit

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// inBubble sends once to a listener at the other end of a pipe, on a clock that only waiting moves,
// and returns the verdict and how long it took.
func inBubble(t *testing.T, cfg Config, ctx context.Context, body []byte, listener func(c net.Conn)) (Verdict, time.Duration) {
	t.Helper()
	if cfg.Dial == nil {
		cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				listener(theirs)
			}()
			return ours, nil
		}
	}
	tr := newTransmitter(t, cfg)
	begin := time.Now()
	v := tr.Send(ctx, Request{Body: body})
	took := time.Since(begin)
	tr.Close()
	time.Sleep(2 * time.Hour) // until the slowest listener has gone
	synctest.Wait()
	return v, took
}

// reading makes a listener read the request before it does what it does.
func reading(do func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		readRequest(bufio.NewReader(c))
		do(c)
	}
}

// overTLS makes a listener speak TLS, if there is a configuration for it.
func overTLS(config *tls.Config, do func(net.Conn)) func(net.Conn) {
	if config == nil {
		return do
	}
	return func(c net.Conn) {
		session := tls.Server(c, config)
		if session.Handshake() == nil {
			do(session)
		}
	}
}

func TestEveryStepEndsWithItsTimeout(t *testing.T) {
	background := context.Background()
	dialForEver := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	everySecond := func(text string) func(net.Conn) {
		return reading(func(c net.Conn) {
			for i := range len(text) {
				time.Sleep(time.Second)
				if _, err := io.WriteString(c, text[i:i+1]); err != nil {
					return
				}
			}
			untilClosed(c)
		})
	}
	large := make([]byte, 1<<20)
	for _, c := range []struct {
		name   string
		cfg    Config
		body   []byte
		listen func(net.Conn)
		took   time.Duration
		action Action
		status int
		err    string
		cause  Cause
	}{
		{"connecting", Config{Dial: dialForEver}, nil, nil, 2 * time.Second, Kept, 0, "no connection within 2s", ConnectTimeout},
		{"connecting, with less time in all", Config{Dial: dialForEver, Timeout: time.Second}, nil, nil, time.Second, Kept, 0, "no connection within 1s", ConnectTimeout},
		{"connecting, as configured", Config{Dial: dialForEver, ConnectTimeout: 3 * time.Second}, nil, nil, 3 * time.Second, Kept, 0, "no connection within 3s", ConnectTimeout},
		{"a handshake", Config{URL: "https://localhost"}, nil, untilClosed, 5 * time.Second, Kept, 0, "the TLS handshake did not end within 5s", SlowHandshake},
		{"an answer", Config{}, nil, untilClosed, 5 * time.Second, Kept, 0, "no complete answer within 5s", SlowListener},
		{"an answer, as configured", Config{Timeout: time.Minute}, nil, untilClosed, time.Minute, Kept, 0, "within 1m0s", SlowListener},
		{"a trickling answer", Config{}, nil, everySecond("HTTP/1.1 200 OK\r\n\r\n"), 5 * time.Second, Kept, 0, "no complete answer within 5s", SlowListener},
		{"an answer in good time", Config{Timeout: time.Minute}, nil, everySecond("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 38*time.Second + watched, Delivered, 200, "", Unknown},
		{"a stuck body of a success", Config{}, nil, reading(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")), 5 * time.Second, Delivered, 200, "", Unknown},
		{"a stuck body of a failure", Config{}, nil, reading(says("HTTP/1.1 400 No\r\nContent-Length: 9\r\n\r\n")), 5 * time.Second, Rejected, 400, "", Unknown},
		{"a request that is not read", Config{}, large, func(c net.Conn) { io.ReadFull(c, make([]byte, 9999)); time.Sleep(time.Hour) }, 5*time.Second + 100*time.Millisecond, Kept, 0, "did not read the whole request within 5s", SlowListener},
		{"a request that is refused unread", Config{}, large, func(c net.Conn) {
			io.ReadFull(c, make([]byte, 9999))
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\n\r\n")
		}, 5 * time.Second, Rejected, 413, "", Unknown},
		{"a request that is taken unread", Config{}, large, func(c net.Conn) { io.ReadFull(c, make([]byte, 9999)); io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n") }, 5 * time.Second, Kept, 200, "before it had read the whole request", Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, took := inBubble(t, c.cfg, background, c.body, c.listen)
				mustHold(t, v, c.action, c.status, c.err)
				if v.Err != nil {
					mustHaveCause(t, v.Err, c.cause)
				}
				if took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
			})
		})
	}
}

func TestACancelledRequestEndsAtOnceAndIsNotAFailure(t *testing.T) {
	dialForEver := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	cancelled := func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		return ctx, cancel
	}
	ended := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), time.Second)
	}
	for _, c := range []struct {
		name   string
		cfg    Config
		ctx    func() (context.Context, context.CancelFunc)
		body   []byte
		listen func(net.Conn)
		action Action
		status int
	}{
		{"while connecting", Config{Dial: dialForEver}, cancelled, nil, nil, Aborted, 0},
		{"while connecting, by a deadline", Config{Dial: dialForEver}, ended, nil, nil, Aborted, 0},
		{"in a handshake", Config{URL: "https://localhost"}, cancelled, nil, untilClosed, Aborted, 0},
		{"while sending", Config{}, cancelled, make([]byte, 1<<20), func(c net.Conn) { time.Sleep(time.Hour) }, Aborted, 0},
		{"while waiting", Config{}, cancelled, nil, untilClosed, Aborted, 0},
		{"while waiting, by a deadline", Config{}, ended, nil, untilClosed, Aborted, 0},
		{"after the answer's head, in its body", Config{}, cancelled, nil, reading(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")), Delivered, 200},
		{"after a refusal's head, in its body", Config{}, cancelled, nil, reading(says("HTTP/1.1 400 No\r\nContent-Length: 9\r\n\r\n")), Rejected, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := c.ctx()
				defer cancel()
				v, took := inBubble(t, c.cfg, ctx, c.body, c.listen)
				mustHold(t, v, c.action, c.status, "")
				if took != time.Second {
					t.Errorf("it took %v, want to end with the context after 1s", took)
				}
			})
		})
	}
}

// The deadline of a request is not that of the one before it.
func TestAnIdleConnectionOutlivesTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		tr := newTransmitter(t, Config{Dial: func(context.Context, string, string) (net.Conn, error) {
			dials++
			ours, theirs := net.Pipe()
			go answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(theirs, 1)
			return ours, nil
		}})
		for range 3 {
			mustHold(t, send(tr, "{}"), Delivered, 200, "")
			time.Sleep(time.Hour)
		}
		tr.Close()
		synctest.Wait()
		if dials != 1 {
			t.Errorf("3 requests an hour apart took %d connections, want 1", dials)
		}
	})
}

// A context that may be cancelled leaves nothing of itself on a connection.
func TestACancelledContextDoesNotTouchTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransmitter(t, Config{Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(theirs, 1)
			return ours, nil
		}})
		for range 3 {
			ctx, cancel := context.WithCancel(context.Background())
			mustHold(t, tr.Send(ctx, Request{}), Delivered, 200, "")
			cancel()
			synctest.Wait()
		}
		tr.Close()
		synctest.Wait()
	})
}
