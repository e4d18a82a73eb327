package h1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// inBubble returns a client of a listener at the other end of a pipe, on a clock that only waiting
// moves. serve is told the number of the connection, from 1.
func inBubble(t *testing.T, layer string, connecting time.Duration, serve func(c net.Conn, number int)) *Client {
	t.Helper()
	number := 0
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	cl := &Client{MaxIdle: 1, Dial: func(context.Context) (net.Conn, error) {
		time.Sleep(connecting)
		number++
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			if layer == "nothing" {
				serve(theirs, number)
				return
			}
			session := tls.Server(theirs, config)
			if session.Handshake() == nil {
				serve(session, number)
			}
		}()
		return ours, nil
	}}
	switch config := (&tls.Config{InsecureSkipVerify: true}); layer {
	case "TLS":
		cl.TLS = config
	case "TLS to a proxy":
		cl.ProxyTLS = config
	}
	return cl
}

// timed makes one exchange on a new connection, and tells how long it took once the connection was
// there.
func timed(t *testing.T, cl *Client) (time.Duration, error) {
	t.Helper()
	c := open(t, cl)
	begin := time.Now()
	var a Answer
	err := post(c, &a)
	if err == nil {
		c.Finish(&a, nil)
	}
	return time.Since(begin), err
}

func answer(c net.Conn) {
	if readRequest(bufio.NewReader(c)) == nil {
		io.WriteString(c, ok)
	}
}

// Whoever keeps no connections does not trust the peer.
func TestEveryConnectionIsWatchedIfNoneAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl := inBubble(t, "nothing", 0, func(c net.Conn, number int) {
			if number == 2 {
				time.Sleep(time.Millisecond)
				io.WriteString(c, ok) // unasked
			}
			answer(c)
		})
		cl.MaxIdle = 0
		if took, err := timed(t, cl); err != nil || took != minWatch {
			t.Errorf("the first exchange took %v and ended with %v, want %v and no error", took, err, minWatch)
		}
		if _, err := timed(t, cl); !errors.Is(err, ErrUnasked) {
			t.Errorf("the second exchange ended with %v, want %v", err, ErrUnasked)
		}
	})
}

func TestTheFirstConnectionIsWatchedForTwiceTheTimeOfConnecting(t *testing.T) {
	overEachLayer(t, func(t *testing.T, layer string) {
		for connecting, want := range map[time.Duration]time.Duration{
			0:                    2 * time.Millisecond,
			3 * time.Millisecond: 6 * time.Millisecond,
			time.Second:          10 * time.Millisecond,
		} {
			synctest.Test(t, func(t *testing.T) {
				cl := inBubble(t, layer, connecting, func(c net.Conn, _ int) { answer(c) })
				for n, want := range []time.Duration{want, 0, 0} {
					if took, err := timed(t, cl); err != nil || took != want {
						t.Errorf("connecting took %v: exchange %d took %v and ended with %v, want %v and no error", connecting, n+1, took, err, want)
					}
				}
			})
		}
	})
}

// A peer that answers and resets, and has read nothing, kills the connections that it is asked on.
func TestAfterAKeptConnectionDiedTheNextOneIsWatched(t *testing.T) {
	for name, die := range map[string]func(cl *Client){
		"found before the request": func(cl *Client) { cl.idle[0].Close() },
		"found by the request":     func(cl *Client) { cl.DropIdle() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cl := inBubble(t, "nothing", 0, func(c net.Conn, _ int) { answer(c) })
				cl.MaxIdle = 1
				timed(t, cl)
				die(cl)
				if cl.Idle(time.Now().Add(time.Minute)) != nil {
					t.Fatal("a dead connection is used")
				}
				for n, want := range []time.Duration{minWatch, 0} {
					if took, err := timed(t, cl); err != nil || took != want {
						t.Errorf("exchange %d took %v and ended with %v, want %v and no error", n+1, took, err, want)
					}
				}
				cl.Close()
			})
		})
	}
}

// A payload that nobody read would be removed.
func TestAnAnswerThatComesJustAfterConnectingIsNotTaken(t *testing.T) {
	const after = time.Millisecond
	overEachLayer(t, func(t *testing.T, layer string) {
		synctest.Test(t, func(t *testing.T) {
			cl := inBubble(t, layer, 0, func(c net.Conn, number int) {
				if number != 2 {
					time.Sleep(after)
					io.WriteString(c, ok)
				}
				answer(c)
			})
			for n, want := range []struct {
				unasked bool
				took    time.Duration
			}{
				{true, after},
				{false, maxWatch}, // another listener behind the same balancer
				{true, after},
			} {
				took, err := timed(t, cl)
				var e *Error
				unasked := errors.As(err, &e) && e.Err == ErrUnasked && e.Unsent
				if unasked != want.unasked || !unasked && err != nil || took != want.took {
					t.Errorf("exchange %d took %v and ended with %v, want %v, and %v: %v", n+1, took, err, want.took, ErrUnasked, want.unasked)
				}
			}
		})
	})
}

func TestAConnectionThatEndsWhileItIsWatchedSendsNothing(t *testing.T) {
	overEachLayer(t, func(t *testing.T, layer string) {
		synctest.Test(t, func(t *testing.T) {
			cl := inBubble(t, layer, 0, func(c net.Conn, _ int) { time.Sleep(time.Millisecond) })
			took, err := timed(t, cl)
			var e *Error
			if !errors.As(err, &e) || !e.Unsent || !e.Ended || took != time.Millisecond {
				t.Errorf("the exchange took %v and ended with %+v, want an end before the request after 1ms", took, err)
			}
		})
	})
}

func TestCancellingEndsTheWatch(t *testing.T) {
	overEachLayer(t, func(t *testing.T, layer string) {
		synctest.Test(t, func(t *testing.T) {
			cl := inBubble(t, layer, time.Second, func(c net.Conn, _ int) {
				if readRequest(bufio.NewReader(c)) == nil {
					t.Error("the listener got the request")
				}
			})
			c := open(t, cl)
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Millisecond, cancel)
			begin := time.Now()
			var a Answer
			err := c.RoundTrip(ctx, []byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"), []byte("{}"), &a)
			var e *Error
			if took := time.Since(begin); !errors.As(err, &e) || !e.Unsent || took != time.Millisecond {
				t.Errorf("the exchange took %v and ended with %+v, want nothing sent after 1ms", took, err)
			}
			synctest.Wait()
		})
	})
}
