package transmit

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	maxHead    = 64 << 10 // bytes of status lines and headers of one exchange, interim answers included
	maxInterim = 16       // interim (1xx) answers
	maxDrain   = 64 << 10 // bytes of a body read for the sake of its connection
	maxExcerpt = 2 << 10
)

var (
	errNotHTTP     = errors.New("the answer does not begin with an HTTP/1 status line")
	errIsTLS       = errors.New("the answer is a TLS alert, not HTTP")
	errIsHTTP2     = errors.New("the answer is HTTP/2, which was not asked for")
	errLongHead    = errors.New("the headers of the answer are larger than 64 KiB")
	errManyInterim = errors.New("there are more than 16 interim answers")
)

// answer is what is needed of a final answer's head.
type answer struct {
	status int
	keep   bool  // the connection can be used again once the body is read
	length int64 // of the body; -1: until the connection is closed
	chunks bool  // the body is chunked

	// Filled only where the status is not 2xx.
	reason, location, retryAfter, date string

	budget int // head bytes left
}

// read reads heads up to that of the final answer. io.EOF is a connection closed before the first byte of an answer.
//
// A status line that is not one means that something else is spoken here, so it is no answer. A malformed header
// after it only means that the end of the answer is in doubt: the status stands and the connection is given up.
func (a *answer) read(br *bufio.Reader) error {
	a.budget = maxHead
	for range maxInterim + 1 {
		if err := a.readStatus(br); err != nil {
			return err
		}
		if err := a.readHeaders(br); err != nil {
			return err
		}
		// 101 is as good as final: what follows is another protocol.
		if a.status >= 200 || a.status == 101 {
			return nil
		}
	}
	return errManyInterim
}

// readStatus reads "HTTP/1.1 200 OK" (RFC 9112 section 4).
func (a *answer) readStatus(br *bufio.Reader) error {
	// Look at the beginning first: other protocols have no line end to wait for.
	start, err := br.Peek(5)
	switch {
	case len(start) == 0:
		return err
	case !bytes.HasPrefix([]byte("HTTP/"), start):
		return otherProtocol(start)
	case err != nil:
		return cutShort(err)
	}
	line, err := a.line(br)
	if err != nil {
		return err
	}
	const form = "HTTP/1.x 200"
	if len(line) < len(form) || string(line[:7]) != "HTTP/1." || !isDigit(line[7]) || line[8] != ' ' ||
		line[9] == '0' || !isDigit(line[9]) || !isDigit(line[10]) || !isDigit(line[11]) ||
		len(line) > len(form) && line[12] != ' ' {
		return errNotHTTP
	}
	*a = answer{budget: a.budget, length: -1}
	a.status = int(line[9]-'0')*100 + int(line[10]-'0')*10 + int(line[11]-'0')
	a.keep = line[7] != '0'
	if !a.good() {
		a.reason = string(bytes.TrimSpace(line[len(form):]))
	}
	return nil
}

func (a *answer) good() bool { return a.status >= 200 && a.status < 300 }

// otherProtocol names what the first bytes of a non-answer are.
func otherProtocol(start []byte) error {
	switch {
	case len(start) >= 2 && start[0] == 0x15 && start[1] == 0x03: // record type alert, version 3.x: RFC 8446 section 5.1
		return errIsTLS
	case len(start) == 5 && start[0] == 0 && start[3] == 4: // a SETTINGS frame: RFC 9113 section 4.1
		return errIsHTTP2
	}
	return errNotHTTP
}

// readHeaders reads header lines up to the empty one and settles how the body ends (RFC 9112 section 6.3).
func (a *answer) readHeaders(br *bufio.Reader) error {
	var lengths, codings int
	var closes, keeps, doubt bool
	remember := a.status >= 300
	for {
		line, err := a.line(br)
		if err != nil {
			return cutShort(err)
		}
		if len(line) == 0 {
			break
		}
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 || bytes.ContainsAny(line[:colon], " \t") {
			doubt = true // folded, without a name, or with a space before the colon: the classics of request smuggling
			continue
		}
		name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
		switch {
		case is(name, "content-length"):
			n, ok := parseLength(value)
			doubt = doubt || !ok || lengths > 0 && n != a.length
			a.length = n
			lengths++
		case is(name, "transfer-encoding"):
			a.chunks = is(value, "chunked")
			codings++
		case is(name, "connection"):
			for option := range bytes.SplitSeq(value, []byte(",")) {
				option = bytes.Trim(option, " \t")
				closes = closes || is(option, "close")
				keeps = keeps || is(option, "keep-alive")
			}
		case remember && is(name, "location"):
			a.location = string(value)
		case remember && is(name, "retry-after"):
			a.retryAfter = string(value)
		case remember && is(name, "date"):
			a.date = string(value)
		}
	}
	http10 := !a.keep
	a.keep = (a.keep || keeps) && !closes && !doubt
	switch {
	case a.status == 204 || a.status == 304 || a.status < 200:
		// No body, whatever the headers say. If they say otherwise, the listener may send one.
		a.keep = a.keep && a.length <= 0 && codings == 0
		a.length, a.chunks = 0, false
	case codings > 0:
		a.keep = a.keep && codings == 1 && a.chunks && lengths == 0 && !http10
		a.chunks = a.chunks && codings == 1
		a.length = -1
	case doubt:
		a.length = -1
	}
	a.keep = a.keep && (a.length >= 0 || a.chunks) && a.length <= maxDrain && a.status != 101
	return nil
}

// line returns the next line without its end; it is valid until the next read. A line feed alone ends a line as well
// (RFC 9112 section 2.2).
func (a *answer) line(br *bufio.Reader) ([]byte, error) {
	return readLine(br, &a.budget)
}

func readLine(br *bufio.Reader, budget *int) ([]byte, error) {
	line, err := br.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		var long []byte
		for err == bufio.ErrBufferFull && len(long) <= *budget {
			long = append(long, line...)
			line, err = br.ReadSlice('\n')
		}
		line = append(long, line...)
	}
	if *budget -= len(line); *budget < 0 {
		return nil, errLongHead
	}
	if err != nil {
		return nil, cutShort(err)
	}
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, nil
}

// cutShort makes the end of a connection in the middle of something an error of its own.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseLength takes digits alone; what it does not take is a body until the connection is closed.
func parseLength(value []byte) (int64, bool) {
	if len(value) == 0 || len(value) > 18 {
		return -1, false
	}
	var n int64
	for _, c := range value {
		if !isDigit(c) {
			return -1, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// is compares with a word in small letters, whatever the case of b.
func is(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
