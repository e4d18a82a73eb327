package h1

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

var answers = []struct {
	name, text string
	status     int // 0: no answer
	clean      bool
	excerpt    string
}{
	{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, true, "ok"},
	{"no body", "HTTP/1.1 204 No Content\r\n\r\n", 204, true, ""},
	{"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, true, ""},
	{"an empty reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, true, ""},
	{"line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, true, "ok"},
	{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nok\r\nA \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", 200, true, "ok0123456789"},
	{"interim answers first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, true, ""},
	{"the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, true, "ok"},
	{"HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", 200, true, "ok"},
	{"a later minor version", "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", 200, true, ""},
	{"a body of 64 KiB", "HTTP/1.1 500 No\r\nContent-Length: 65536\r\n\r\n" + strings.Repeat("x", 65536), 500, true, strings.Repeat("x", maxExcerpt)},
	{"a head of nearly 64 KiB", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 65000) + "\r\nContent-Length: 0\r\n\r\n", 200, true, ""},

	{"a body larger than 64 KiB", "HTTP/1.1 500 No\r\nContent-Length: 65537\r\n\r\n" + strings.Repeat("x", 65537), 500, false, strings.Repeat("x", maxExcerpt)},
	{"no length", "HTTP/1.1 200 OK\r\n\r\nok", 200, false, "ok"},
	{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, false, "ok"},
	{"an option to close", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok", 200, false, "ok"},
	{"close wins over keep-alive", "HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, false, "ok"},
	{"a body cut short", "HTTP/1.1 500 No\r\nContent-Length: 20\r\n\r\nno", 500, false, "no"},
	{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", 200, false, "ok"},
	{"a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", 200, false, "ok"},
	{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", 200, false, "ok"},
	{"a length with a plus", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", 200, false, "ok"},
	{"no length in the length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok", 200, false, "ok"},
	{"a huge length", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\nok", 200, false, "ok"},
	{"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, false, "ok"},
	{"gzip and chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nok", 200, false, "ok"},
	{"chunks twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\nok", 200, false, "ok"},
	{"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, false, "ok"},
	{"a malformed chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n", 200, false, ""},
	{"an empty chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nok\r\n0\r\n\r\n", 200, false, ""},
	{"a huge chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nok", 200, false, "ok"},
	{"a chunk longer than its size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n", 200, false, "ok"},
	{"a chunk cut short", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", 200, false, "ok"},
	{"chunks without an end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", 200, false, "ok"},
	{"endless trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("a: b\r\n", 20000), 200, false, ""},
	{"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 204, false, ""},
	{"204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 204, false, ""},
	{"a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", 200, false, "ok"},
	{"a header that begins with a space", "HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 2\r\n\r\nok", 200, false, "ok"},
	{"a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", 200, false, "ok"},
	{"a header without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nok", 200, false, "ok"},
	{"another protocol from here on", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nxxxx", 101, false, ""},
	{"a status beyond the registered", "HTTP/1.1 999 Whatever\r\nContent-Length: 0\r\n\r\n", 999, true, ""},

	{"nothing", "", 0, false, ""},
	{"half a protocol name", "HTT", 0, false, ""},
	{"half a status line", "HTTP/1.1 20", 0, false, ""},
	{"a status line without its end", "HTTP/1.1 200 OK", 0, false, ""},
	{"no headers", "HTTP/1.1 200 OK\r\n", 0, false, ""},
	{"headers cut short", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", 0, false, ""},
	{"only an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", 0, false, ""},
	{"seventeen interim answers", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 17) + "HTTP/1.1 200 OK\r\n\r\n", 0, false, ""},
	{"two digits", "HTTP/1.1 20 OK\r\n\r\n", 0, false, ""},
	{"four digits", "HTTP/1.1 2000 OK\r\n\r\n", 0, false, ""},
	{"a leading zero", "HTTP/1.1 020 OK\r\n\r\n", 0, false, ""},
	{"a letter in the status", "HTTP/1.1 20O OK\r\n\r\n", 0, false, ""},
	{"two spaces", "HTTP/1.1  200 OK\r\n\r\n", 0, false, ""},
	{"no version", "HTTP 200 OK\r\n\r\n", 0, false, ""},
	{"another version", "HTTP/2.0 200 OK\r\n\r\n", 0, false, ""},
	{"a version without a minor", "HTTP/2 200\r\n\r\n", 0, false, ""},
	{"small letters", "http/1.1 200 OK\r\n\r\n", 0, false, ""},
	{"an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", 0, false, ""},
	{"a body alone, as in HTTP/0.9", "<html>ok</html>", 0, false, ""},
	{"a head of more than 64 KiB", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 20000) + "\r\n", 0, false, ""},
	{"a line of more than 64 KiB", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 1<<20) + "\r\n\r\n", 0, false, ""},
	{"a status line of more than 64 KiB", "HTTP/1.1 200 " + strings.Repeat("y", 1<<20) + "\r\n\r\n", 0, false, ""},
}

func TestAnswersAndWhetherTheConnectionIsKept(t *testing.T) {
	for _, c := range answers {
		for pieces, br := range map[string]*bufio.Reader{
			"at once":     bufio.NewReader(strings.NewReader(c.text)),
			"in pieces":   bufio.NewReader(iotest.OneByteReader(strings.NewReader(c.text))),
			"end at once": bufio.NewReader(iotest.DataErrReader(strings.NewReader(c.text))),
		} {
			var a Answer
			err := a.read(br)
			if c.status == 0 {
				if err == nil {
					t.Errorf("%s, %s: it was taken for an answer with status %d", c.name, pieces, a.Status)
				}
				continue
			}
			if err != nil || a.Status != c.status {
				t.Errorf("%s, %s: status %d (%v), want %d", c.name, pieces, a.Status, err, c.status)
				continue
			}
			excerpt, clean := a.readBody(br, make([]byte, 0, maxExcerpt))
			if clean != c.clean || string(excerpt) != c.excerpt {
				t.Errorf("%s, %s: kept %v with %.20q, want %v with %.20q", c.name, pieces, clean, excerpt, c.clean, c.excerpt)
			}
		}
	}
}

const maxExcerpt = 2 << 10 // what a caller wants to see of a body

// The next answer begins exactly where a clean one ended.
func TestAnAnswerIsReadToItsEndAndNotBeyond(t *testing.T) {
	const next = "HTTP/1.1 201 Created\r\n\r\n"
	for _, body := range []string{
		"Content-Length: 3\r\n\r\nabc",
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", maxDrain, strings.Repeat("x", maxDrain)),
	} {
		for _, room := range []int{0, 2, maxExcerpt} {
			br := bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\n" + body + next))
			var a Answer
			if err := a.read(br); err != nil {
				t.Fatal(err)
			}
			if _, clean := a.readBody(br, make([]byte, 0, room)); !clean {
				t.Errorf("%.30q with room for %d bytes is not clean", body, room)
			}
			if err := a.read(br); err != nil || a.Status != 201 {
				t.Errorf("after %.30q with room for %d bytes comes %d (%v), want 201", body, room, a.Status, err)
			}
		}
	}
}
