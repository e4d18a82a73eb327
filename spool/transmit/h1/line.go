package h1

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/net/http/httpguts"
)

// readLine returns the next line without its end; it is valid until the next read. A line feed
// alone ends a line as well (RFC 9112 section 2.2).
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
		return nil, ErrLongHead
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

// readChunkLine returns the next line of a chunked body's framing, where a line feed alone, or a
// carriage return alone, is an error: another reader may take it for something else.
func readChunkLine(br *bufio.Reader, budget *int) ([]byte, error) {
	before := *budget
	line, err := readLine(br, budget)
	if err != nil {
		return nil, err
	}
	if used := before - *budget; used != len(line)+len("\r\n") || bytes.IndexByte(line, '\r') >= 0 {
		return nil, errChunk
	}
	return line, nil
}

// cutField splits a header or trailer line (RFC 9112 section 5). ok is false for a line that is not
// one.
func cutField(line []byte) (name, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return nil, nil, false
	}
	for _, c := range line[:colon] {
		if !httpguts.IsTokenRune(rune(c)) {
			return nil, nil, false
		}
	}
	return line[:colon], bytes.Trim(line[colon+1:], " \t"), true
}

// hasControl reports whether a value holds what RFC 9110 section 5.5 calls dangerous.
func hasControl(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// cutShort makes the end of a connection in the middle of something an error of its own.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseLength takes digits alone. With any other value the body lasts until the connection is
// closed.
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
