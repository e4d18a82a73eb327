package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// reading is what a client makes of an answer.
type reading struct {
	status int  // -1: no answer
	body   int  // its length
	reuse  bool // whether the connection may be used again
	read   int  // the length of all of it, if the connection may be used again
}

// readByH1 reads an answer and its whole body.
func readByH1(data []byte) reading {
	br := bufio.NewReader(bytes.NewReader(data))
	var a Answer
	if a.read(br) != nil {
		return reading{status: -1}
	}
	body, clean := a.readBody(br, make([]byte, 0, len(data)+1))
	r := reading{status: a.Status, body: len(body), reuse: clean}
	r.measure(data, br)
	return r
}

// readByNetHTTP reads it as the connections of http.Transport do: persistConn.readResponse and
// readLoop.
func readByNetHTTP(data []byte) reading {
	br := bufio.NewReader(bytes.NewReader(data))
	for {
		r, err := http.ReadResponse(br, &http.Request{Method: "POST"})
		if err != nil {
			return reading{status: -1}
		}
		if r.StatusCode >= 100 && r.StatusCode < 200 && r.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		n, err := io.Copy(io.Discard, r.Body)
		got := reading{status: r.StatusCode, body: int(n), reuse: err == nil && !r.Close && r.StatusCode > 199}
		got.measure(data, br)
		return got
	}
}

func (r *reading) measure(data []byte, br *bufio.Reader) {
	if r.reuse {
		left, _ := io.Copy(io.Discard, br)
		r.read = len(data) - int(left)
	}
}

// A difference that is gone has no place in the table.
func TestEveryListedDifferenceFromNetHTTPStillExists(t *testing.T) {
	for _, d := range differences {
		t.Run(d.reason, func(t *testing.T) {
			ours, theirs := readByH1([]byte(d.example)), readByNetHTTP([]byte(d.example))
			if ours == theirs || !d.applies(cut([]byte(d.example))) || !d.allowed(ours, theirs) {
				t.Errorf("the example is read as %+v, and by net/http as %+v", ours, theirs)
			}
		})
	}
}

// FuzzResponseAgainstNetHTTP holds the reader of answers to what the standard library makes of the
// same bytes.
func FuzzResponseAgainstNetHTTP(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nRetry-After: 3\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nno\r\n0\r\nA: b\r\n\r\nrest",
		"HTTP/1.0 302 Found\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nab",
	} {
		f.Add([]byte(s))
	}
	for _, d := range differences {
		f.Add([]byte(d.example))
	}
	for _, a := range answers {
		f.Add([]byte(a.text))
	}
	f.Add([]byte("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 11000) + "\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, theirs := readByH1(data), readByNetHTTP(data)
		if ours == theirs {
			return
		}
		p := cut(data)
		for _, d := range differences {
			if d.applies(p) && d.allowed(ours, theirs) {
				return
			}
		}
		t.Errorf("%.1000q\n\tis read as      %+v\n\tby net/http as  %+v", data, ours, theirs)
	})
}
