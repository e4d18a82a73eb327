package transmit

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A process that was stopped (SIGSTOP, suspend, a frozen control group) wakes behind its deadlines.
// That is not the listener's fault.
func TestAProcessThatWasStoppedWhileConnectingTriesAgainOnce(t *testing.T) {
	const address = "10.0.0.1"
	for _, c := range []struct {
		name    string
		url     string
		stopped time.Duration // in each attempt to connect
		times   int           // for which that happens
		action  Action
		tried   int
	}{
		{"beyond the connect timeout, by name", "http://listener.test./", 4 * time.Second, 1, Delivered, 2},
		{"beyond the connect timeout, by address", "http://" + address, 4 * time.Second, 1, Delivered, 2},
		{"beyond the whole timeout", "http://" + address, time.Hour, 1, Delivered, 2},
		{"again and again", "http://" + address, time.Hour, 9, Kept, 2},
		{"not at all: the timer was a little late", "http://" + address, 2900 * time.Millisecond, 9, Kept, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := new(network)
				tr := newTransmitter(t, Config{URL: c.url, Resolver: resolver(t, always(tells(address)))})
				tried := 0
				tr.dialer.dialAddress = func(ctx context.Context, network, address string) (net.Conn, error) {
					if tried++; tried <= c.times {
						time.Sleep(c.stopped)
						return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
					}
					return n.dial(ctx, network, address)
				}
				mustHold(t, send(tr, "{}"), c.action, map[Action]int{Delivered: 200}[c.action], "")
				if tried != c.tried {
					t.Errorf("there were %d attempts to connect, want %d", tried, c.tried)
				}
			})
		})
	}
}

func TestAProcessThatWasStoppedInTheTLSHandshakeTriesAgainOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, config := tlsFor(t, true)
		dials := 0
		tr := newTransmitter(t, Config{URL: "https://localhost", CAFile: ca, Dial: func(context.Context, string, string) (net.Conn, error) {
			dials++
			ours, theirs := net.Pipe()
			if dials == 1 {
				t.Cleanup(func() { theirs.Close() })
				return stoppedConn{ours}, nil
			}
			go overTLS(config, func(c net.Conn) {
				defer c.Close()
				answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")(c, 1)
			})(theirs)
			return ours, nil
		}})
		mustHold(t, send(tr, "{}"), Delivered, 200, "")
		if dials != 2 {
			t.Errorf("there were %d connections, want 2", dials)
		}
	})
}

// stoppedConn is used by a process that is stopped while it writes.
type stoppedConn struct{ net.Conn }

func (c stoppedConn) Write([]byte) (int, error) {
	time.Sleep(time.Hour)
	return 0, context.DeadlineExceeded
}
