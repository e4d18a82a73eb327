package transmit

import (
	"bufio"
	"context"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// On a clock that only waiting moves, a listener that answers or hangs up costs only the time for
// which its first connection is watched. One that does neither costs the timeout and nothing beyond
// it, over TLS too. TestHostileListenersGetTheRightVerdict and TestEveryStepEndsWithItsTimeout have
// the behaviour that needs a real socket, or its buffers.
func TestHostileListenersEndOnTime(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, h := range hostiles {
			if h.socket || h.early {
				continue
			}
			t.Run(scheme(secure)+" "+h.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ca, config := tlsFor(t, secure)
					listener := overTLS(config, reading(h.do))
					ctx, cancel := context.WithTimeout(context.Background(), time.Hour) // for a timeout that is ignored
					defer cancel()
					cfg := Config{URL: scheme(secure) + "localhost", CAFile: ca, Timeout: time.Second}
					v, took := inBubble(t, cfg, ctx, []byte("{}"), listener)
					mustHold(t, v, h.action, h.status, h.err)
					want := watched
					if h.slow {
						want = cfg.Timeout
					}
					if took != want {
						t.Errorf("it took %v, want %v", took, want)
					}
				})
			})
		}
	}
}

// Neither the bytes that a listener sends nor a copy of the request is held in memory.
func TestHostileListenersCostBoundedMemory(t *testing.T) {
	large := make([]byte, 16<<20)
	for _, secure := range []bool{false, true} {
		ca, config := tlsFor(t, secure)
		most := uint64(1 << 20)
		if secure {
			most = 3 << 20 // the listener's end of the session is in it
		}
		for _, h := range hostiles {
			if h.slow {
				continue // each would take the timeout, and sends little
			}
			var before, after runtime.MemStats
			l := listen(t, config, func(c net.Conn, _ int) {
				if !h.early {
					readRequest(bufio.NewReader(c))
				}
				h.do(c)
			})
			body := []byte("{}")
			if h.large {
				body = large
			}
			tr := newTransmitter(t, Config{URL: scheme(secure) + l.address, CAFile: ca, Timeout: time.Minute})
			runtime.ReadMemStats(&before)
			tr.Send(context.Background(), Request{Body: body, Key: "key"})
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > most {
				t.Errorf("a listener that %s costs %d KiB over %s", h.name, used>>10, scheme(secure))
			}
		}
	}
}
