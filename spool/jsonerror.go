package spool

import (
	"bytes"
	"fmt"
	"strings"
)

// A JSONError says why a payload is not one JSON value.
type JSONError struct {
	Problem string
	Offset  int // of the byte at which the problem shows, from 0
}

func (e *JSONError) Error() string {
	return fmt.Sprintf("is not valid JSON: %s, at byte offset %d", e.Problem, e.Offset)
}

// problem names what is wrong at the byte at which the scan ended. The usual mistakes of producers
// have names of their own.
func (sc *jsonScanner) problem() *JSONError {
	data, at := sc.data, sc.at
	has := func(prefix string) bool { return bytes.HasPrefix(data, []byte(prefix)) }
	wrong := func(offset int, format string, args ...any) *JSONError {
		return &JSONError{fmt.Sprintf(format, args...), offset}
	}
	switch {
	case has("\xef\xbb\xbf"):
		return wrong(0, "it begins with a byte order mark")
	case has("\xff\xfe"), has("\xfe\xff"), len(data) > 1 && at <= 1 && (data[0] == 0) != (data[1] == 0):
		return wrong(0, "it is UTF-16 instead of UTF-8")
	case has("\x1f\x8b"):
		return wrong(0, "it is compressed with gzip")
	case has("\x28\xb5\x2f\xfd"):
		return wrong(0, "it is compressed with zstd")
	case len(bytes.Trim(data, " \t\r\n")) == 0:
		return wrong(0, "it holds nothing but white space")
	case at == len(data):
		return wrong(at, "it ends in the middle of a value")
	}
	rest := data[at:]
	isValue := strings.IndexByte(`{["-0123456789tfn`, rest[0]) >= 0
	before := bytes.TrimRight(data[:at], " \t\r")
	switch {
	case len(sc.closers) == 0 && at > 0 && isValue && bytes.HasSuffix(before, []byte("\n")):
		return wrong(at, "a second value begins on a line of its own, as in NDJSON")
	case len(sc.closers) == 0 && at > 0 && isValue && len(before) > 0:
		return wrong(at, "a second value begins")
	case bytes.HasPrefix(rest, []byte("NaN")), bytes.HasPrefix(rest, []byte("Infinity")):
		return wrong(at, "JSON has no NaN and no Infinity")
	case rest[0] == 0:
		return wrong(at, "there is a NUL byte")
	}
	return wrong(at, "%q does not belong there", rest[:1])
}
