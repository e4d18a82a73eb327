package h1

import (
	"bufio"
	"bytes"
)

const (
	maxHead    = 64 << 10 // bytes of status lines and headers of one exchange, interim answers included
	maxInterim = 16       // interim (1xx) answers
	maxDrain   = 64 << 10 // bytes of a body read for the sake of its connection
	maxFraming = 4 << 10  // bytes of chunk sizes and trailers around them
)

// Answer is the head of a final answer, as far as it is needed.
type Answer struct {
	Status   int
	Partial  bool // it came although the request could not be written whole
	Expected bool // it has the header Client.Expect
	HTML     bool // it says that its body is a web page

	// As the peer wrote them. Filled only where the status is not 2xx.
	Reason, Location, RetryAfter, Date string

	keep   bool  // the connection can be used again once the body is read
	length int64 // of the body; -1: until the connection is closed
	chunks bool  // the body is chunked
	broken bool  // a header is malformed, of this answer or of an interim one before it
	began  bool  // a byte of an answer has come
	budget int   // head bytes left
	expect Field // sets Expected
}

// read reads heads up to that of the final answer. io.EOF is a connection closed before the first
// byte of an answer.
//
// A malformed status line may belong to another protocol, so there is no answer. A malformed header
// after a good one only puts the end of the answer in doubt: the status stands and the connection
// is given up.
func (a *Answer) read(br *bufio.Reader) error {
	a.budget = maxHead
	for range maxInterim + 1 {
		if err := a.readStatus(br); err != nil {
			return err
		}
		if err := a.readHeaders(br); err != nil {
			return err
		}
		// 101 is as good as final: another protocol follows it.
		if a.Status >= 200 || a.Status == 101 {
			return nil
		}
	}
	return ErrManyInterim
}

// readStatus reads "HTTP/1.1 200 OK" (RFC 9112 section 4).
func (a *Answer) readStatus(br *bufio.Reader) error {
	// Look at the beginning first: other protocols have no line end to wait for.
	start, err := br.Peek(len("HTTP/"))
	if len(start) == 0 {
		return err
	}
	a.began = true
	switch {
	case !bytes.HasPrefix([]byte("HTTP/"), start):
		return otherProtocol(start)
	case err != nil:
		return cutShort(err)
	}
	line, err := readLine(br, &a.budget)
	if err != nil {
		return err
	}
	const form = "HTTP/1.x 200"
	if len(line) < len(form) || string(line[:7]) != "HTTP/1." || !isDigit(line[7]) || line[8] != ' ' ||
		line[9] == '0' || !isDigit(line[9]) || !isDigit(line[10]) || !isDigit(line[11]) ||
		len(line) > len(form) && line[12] != ' ' {
		return ErrNotHTTP
	}
	*a = Answer{budget: a.budget, broken: a.broken, length: -1, began: true, expect: a.expect}
	a.Status = int(line[9]-'0')*100 + int(line[10]-'0')*10 + int(line[11]-'0')
	a.keep = line[7] != '0'
	if !a.good() {
		a.Reason = string(bytes.TrimSpace(line[len(form):]))
	}
	return nil
}

func (a *Answer) good() bool { return a.Status >= 200 && a.Status < 300 }

// otherProtocol names what the first bytes of a non-answer are.
func otherProtocol(start []byte) error {
	switch {
	case len(start) >= 2 && start[0] == 0x15 && start[1] == 0x03: // record type alert, version 3.x: RFC 8446 section 5.1
		return ErrTLS
	case len(start) == 5 && start[0] == 0 && start[3] == 4: // a SETTINGS frame: RFC 9113 section 4.1
		return ErrHTTP2
	}
	return ErrNotHTTP
}

// readHeaders reads header lines up to the empty one and settles how the body ends (RFC 9112
// section 6.3).
func (a *Answer) readHeaders(br *bufio.Reader) error {
	var lengths, codings int
	var closes, keeps, doubt bool // doubt: about the end of the answer
	remember := a.Status >= 300
	for {
		line, err := readLine(br, &a.budget)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := cutField(line)
		if !ok {
			doubt = true // folded, without a name, a space before the colon: the classics of request smuggling
			continue
		}
		a.broken = a.broken || hasControl(value)
		a.Expected = a.Expected || a.expect.is(name, value)
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
		case is(name, "trailer"):
			// These must not follow the body (RFC 9110 section 6.5.1): they would say anew where it
			// ends.
			for field := range bytes.SplitSeq(value, []byte(",")) {
				field = bytes.Trim(field, " \t")
				a.broken = a.broken || is(field, "content-length") || is(field, "transfer-encoding") || is(field, "trailer")
			}
		case is(name, "content-type"):
			a.HTML = is(mediaType(value), "text/html")
		case remember && is(name, "location"):
			a.Location = string(value)
		case remember && is(name, "retry-after"):
			a.RetryAfter = string(value)
		case remember && is(name, "date"):
			a.Date = string(value)
		}
	}
	http10 := !a.keep
	a.broken = a.broken || doubt
	a.keep = (a.keep || keeps) && !closes && !a.broken
	switch {
	case a.Status == 204 || a.Status == 304 || a.Status < 200:
		// No body, whatever the headers say. If they say otherwise, the peer may send one.
		a.keep = a.keep && a.length <= 0 && codings == 0
		a.length, a.chunks = 0, false
	case codings > 0:
		a.keep = a.keep && codings == 1 && a.chunks && lengths == 0 && !http10
		a.chunks = a.chunks && codings == 1
		a.length = -1
	case doubt:
		a.length = -1
	}
	a.keep = a.keep && (a.length >= 0 || a.chunks) && a.length <= maxDrain && a.Status != 101
	return nil
}
