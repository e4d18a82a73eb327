package h1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
)

var errChunk = errors.New("malformed chunk")

// readBody fills excerpt with the first bytes of the body, up to its capacity, and reads the rest
// of the answer if the connection can be used again. clean means that it can. Nothing more is read.
func (a *Answer) readBody(br *bufio.Reader, excerpt []byte) (_ []byte, clean bool) {
	b := body{br: br, excerpt: excerpt, budget: maxDrain, framing: maxFraming}
	if !a.keep {
		b.budget = cap(excerpt)
		if b.budget == 0 {
			return excerpt, false
		}
	}
	var err error
	switch {
	case a.chunks:
		err = b.chunks()
	case a.length >= 0:
		err = b.span(a.length)
	default:
		err = b.span(int64(cap(excerpt)))
	}
	return b.excerpt, a.keep && err == nil
}

// body reads an answer's body within a budget of bytes. Running out of it is an error, and so is
// the end of the connection.
type body struct {
	br      *bufio.Reader
	excerpt []byte
	budget  int // of the body itself
	framing int // of chunk sizes and trailers
}

var errBudget = errors.New("more than is worth reading")

// span takes the next n bytes.
func (b *body) span(n int64) error {
	whole := n <= int64(b.budget)
	if !whole {
		n = int64(b.budget)
	}
	b.budget -= int(n)
	if keep := min(int(n), cap(b.excerpt)-len(b.excerpt)); keep > 0 {
		have := len(b.excerpt)
		got, err := io.ReadFull(b.br, b.excerpt[have:have+keep])
		b.excerpt = b.excerpt[:have+got]
		if err != nil {
			return err
		}
		n -= int64(keep)
	}
	if !whole {
		return errBudget
	}
	_, err := b.br.Discard(int(n))
	return err
}

// chunks takes a chunked body with its trailers (RFC 9112 section 7.1).
func (b *body) chunks() error {
	for {
		line, err := readChunkLine(b.br, &b.framing)
		if err != nil {
			return err
		}
		size, ok := parseChunkSize(line)
		if !ok {
			return errChunk
		}
		if size == 0 {
			break
		}
		if err := b.span(size); err != nil {
			return err
		}
		if line, err = readChunkLine(b.br, &b.framing); err != nil || len(line) > 0 {
			return errChunk
		}
	}
	for {
		line, err := readChunkLine(b.br, &b.framing)
		if err != nil || len(line) == 0 {
			return err
		}
		if _, value, ok := cutField(line); !ok || hasControl(value) {
			return errChunk
		}
	}
}

// parseChunkSize reads a hexadecimal number that extensions may follow.
func parseChunkSize(line []byte) (int64, bool) {
	digits, _, _ := bytes.Cut(bytes.TrimRight(line, " \t"), []byte(";"))
	if len(digits) == 0 || len(digits) > 16 {
		return 0, false
	}
	var n uint64
	for _, c := range digits {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		n = n<<4 | uint64(c)
	}
	return int64(min(n, math.MaxInt64)), true
}
