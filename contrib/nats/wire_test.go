package nats_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// wire is the network between spoolfwd and the servers: a proxy before each of them. A fault
// happens when a number of pieces have passed, in whichever direction.
type wire struct {
	addresses []string // of the proxies

	mu         sync.Mutex
	conns      map[net.Conn]bool
	fault      func() afterwards // nil: nothing is to happen
	left       int               // pieces before it happens
	answers    int               // acknowledgements on their way to spoolfwd
	duplicates int               // of these, for a key that the stream had
}

// afterwards says what becomes of the piece at which a fault happened.
type afterwards int

const (
	pass afterwards = iota
	drop            // and the connection is cut
	passAndCut
)

// newWire stands before the servers of a cluster.
func newWire(t testing.TB, c *cluster) *wire {
	t.Helper()
	w := &wire{conns: map[net.Conn]bool{}}
	for _, n := range c.nodes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			l.Close()
			w.cut()
		})
		w.addresses = append(w.addresses, l.Addr().String())
		go w.serve(l, n.address)
	}
	return w
}

func (w *wire) serve(l net.Listener, address string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", address)
		if err != nil { // it is down
			client.Close()
			continue
		}
		w.mu.Lock()
		w.conns[client], w.conns[server] = true, true
		w.mu.Unlock()
		go w.pump(client, server, false)
		go w.pump(server, client, true)
	}
}

// pump passes on what comes, in one direction, until either end or a fault closes.
func (w *wire) pump(from, to net.Conn, answers bool) {
	defer from.Close()
	defer to.Close()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if err != nil {
			break
		}
		then := w.passing(piece[:n], answers)
		if then == drop {
			break
		}
		if _, err := to.Write(piece[:n]); err != nil || then == passAndCut {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, from)
	delete(w.conns, to)
}

func (w *wire) passing(piece []byte, answers bool) afterwards {
	w.mu.Lock()
	defer w.mu.Unlock()
	if answers {
		w.answers += bytes.Count(piece, []byte(`"seq":`))
		w.duplicates += bytes.Count(piece, []byte(`"duplicate":`))
	}
	if w.fault == nil {
		return pass
	}
	if w.left > 0 {
		w.left--
		return pass
	}
	fault := w.fault
	w.fault = nil
	return fault()
}

// arm lets something happen when a number of pieces have passed.
func (w *wire) arm(after int, fault func() afterwards) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.left = fault, after
}

// disarm reports whether the fault has happened. If not, it never will.
func (w *wire) disarm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	happened := w.fault == nil
	w.fault = nil
	return happened
}

// cut ends all connections.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.conns {
		conn.Close()
	}
}
