package h1

import (
	"bufio"
	"io"
)

// readLine returns the next line without its end; it is valid until the next read. A line feed alone
// ends a line as well (RFC 9112 section 2.2).
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
