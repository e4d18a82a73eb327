package h1

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is the TCP connection as TLS and HTTP read it. It can be told not to wait, and it looks
// once for an answer before it says that the time is up.
type socket struct {
	net.Conn // its deadlines are those of everything above it
	peek     peeker
	noWait   bool // a read takes only what is already here
	looked   bool // the deadline of this exchange was met once
}

// Read ends with [os.ErrDeadlineExceeded] when the time is up and nothing is here.
//
// A process that was stopped wakes up after its deadline, and Go then refuses to read an answer
// that may have been here for long. To call that late would blame the peer for it.
func (s *socket) Read(b []byte) (int, error) {
	if s.noWait && s.peek.silent() {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := s.Conn.Read(b)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && !s.looked && s.peek.hasData() {
		s.looked = true
		if s.Conn.SetReadDeadline(time.Now().Add(grace)) == nil {
			return s.Conn.Read(b)
		}
	}
	return n, err
}

// peeker looks, without taking anything, whether a socket has something to read.
type peeker struct {
	socket syscall.RawConn // nil: not a socket; nothing can be known
	poll   func(fd uintptr)
	wait   int // milliseconds for which poll waits
	events [1]unix.PollFd
	quiet  bool
}

func (p *peeker) init(raw net.Conn) {
	sc, ok := raw.(syscall.Conn)
	if !ok {
		return
	}
	socket, err := sc.SyscallConn()
	if err != nil {
		return
	}
	p.socket = socket
	p.poll = func(fd uintptr) {
		p.events[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		n, err := unix.Poll(p.events[:], p.wait)
		p.quiet = n == 0 && err == nil || err == unix.EINTR
	}
}

// silent reports whether the peer has neither sent anything nor closed nor reset the connection.
func (p *peeker) silent() bool { return p.socket == nil || p.look(0) && p.quiet }

// hasData is the opposite of silent where that is known.
func (p *peeker) hasData() bool { return p.socket != nil && p.look(0) && !p.quiet }

// await returns when there is something to read, and after some milliseconds at the latest. It
// waits in a system call and not in Go's scheduler, which would put one thread to sleep and wake
// another one. That costs as much as the answer of a listener that is near.
func (p *peeker) await() {
	if p.socket != nil {
		p.look(5)
	}
}

func (p *peeker) look(wait int) bool {
	p.wait, p.quiet = wait, false
	return p.socket.Control(p.poll) == nil
}
