package h1

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// Stage is how far an exchange came.
type Stage int

const (
	Connecting Stage = iota // making the connection, to the peer or to its proxy
	Tunnelling              // asking the proxy for a tunnel, over TLS or not
	Securing                // the peer's TLS handshake
	Sending                 // writing the request
	Receiving               // waiting for the answer or reading its head
)

func (s Stage) String() string {
	return [...]string{"connecting", "asking the proxy for a tunnel", "TLS handshake", "sending the request", "waiting for the answer"}[s]
}

// Error is an exchange without an answer. The connection it was made on is closed.
type Error struct {
	Stage Stage
	Err   error

	// Unsent means that not a byte of the request was taken by this machine's network.
	Unsent bool
	// Ended means that the peer ended the connection, by closing or by resetting it, before the
	// first byte of an answer.
	Ended bool
}

func (e *Error) Error() string { return e.Stage.String() + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Refusal is a proxy's answer to CONNECT that opened no tunnel.
type Refusal struct {
	Status int
	Reason string // as the proxy wrote it
}

func (e *Refusal) Error() string { return fmt.Sprintf("answered %d %s to CONNECT", e.Status, e.Reason) }

var (
	ErrNotHTTP     = errors.New("the answer does not begin with an HTTP/1 status line")
	ErrTLS         = errors.New("the answer is a TLS alert, not HTTP")
	ErrHTTP2       = errors.New("the answer is HTTP/2, which was not asked for")
	ErrLongHead    = errors.New("the headers of the answer are larger than 64 KiB")
	ErrManyInterim = errors.New("there are more than 16 interim answers")
	ErrUnasked     = errors.New("something was sent before anything was asked")
)

// isGone reports whether err is a connection that the other side has ended.
func isGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
