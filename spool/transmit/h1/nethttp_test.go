package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strconv"
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

// difference is a kind of answer that the two read differently, and why that is right.
type difference struct {
	reason  string
	example string
	applies func(heads string) bool
	allowed func(ours, theirs reading) bool
}

// In none of them does this package use a connection again that net/http gives up.
var differences = []difference{
	{"a status line is HTTP/1, one space, a status from 100 to 999: anything else may be another protocol",
		"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		headsWith(`^(HTTP/[02-9]|HTTP/\S+ ( |[+-]|0\d\d))`), onlyNetHTTPAnswers},
	{"a malformed header puts the end of an answer in doubt, and not its status",
		"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nok",
		headsWith(`^([ \t]|[^:\n]+$|[^:\n]*[^!#$%&'*+.^_|~0-9A-Z\x60:\n-][^:\n]*:|:|[^:\n]+:.*[\x00-\x08\x0b-\x1f\x7f])`), onlyH1Answers},
	{"so does a length that is not one, or two of them",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
		headsWith(`^content-length:[ \t]*([^0-9 \t]|[0-9]+[^0-9]|$|\n|(?s:.*)\ncontent-length:)`), onlyH1Answers},
	{"so does a coding other than chunked, or two of them",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nok",
		headsWith(`^transfer-encoding:[ \t]*($|(?s:.*)\ntransfer-encoding:|chunked[ \t]*[^ \t\n]|[^c]|c[^h])`), onlyH1Answers},
	{"so does the announcement of a length or a coding that comes behind the body",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\n\r\n",
		headsWith(`^trailer:`), onlyH1Answers},
	{"a header may be folded for net/http, for which the connection is good",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
		headsWith(`^[ \t]`), onlyNetHTTPReuses},
	{"a space in a name is a classic of smuggling: net/http takes the name as it is",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\nok",
		headsWith(`^[^:/\n]* [^:/\n]*:`), onlyNetHTTPReuses},
	{"both a length and chunks are a classic of smuggling: net/http believes the chunks",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		headsWith(`^transfer-encoding:(?s:.*)^content-length:|^content-length:(?s:.*)^transfer-encoding:`), onlyNetHTTPReuses},
	{"a coding in HTTP/1.0 has no meaning for net/http: whoever sends it may mean it",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		headsWith(`^HTTP/1\.0 (?s:.*)^transfer-encoding:`), onlyNetHTTPReuses},
	{"a 204 or 304 that announces a body may be followed by one",
		"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
		headsWith(`^HTTP/1\.. [23]04(?s:.*)^(content-length|transfer-encoding):`), onlyNetHTTPReuses},
	{"a body of more than 64 KiB is not worth reading for the sake of a connection",
		"HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n" + strings.Repeat("x", 65537),
		headsWith(`^(content-length|transfer-encoding):`), onlyNetHTTPReusesALargeBody},
	{"nor is more than 4 KiB of chunk sizes and trailers",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 1000) + "0\r\n\r\n",
		headsWith(`^transfer-encoding:`), onlyNetHTTPReusesAfterMuchFraming},
	{"a trailer that is malformed, or that ends its lines otherwise, puts the end of an answer in doubt",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n\r\n\r\n",
		headsWith(`^transfer-encoding:`), onlyNetHTTPReusesTheSameAnswer},
	{"more than 16 interim answers are not worth waiting for",
		strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 17) + "HTTP/1.1 200 OK\r\n\r\n",
		func(heads string) bool { return strings.Count(heads, "HTTP/1.") > maxInterim }, onlyNetHTTPAnswers},
	{"headers of more than 64 KiB are not either",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHead) + "\r\n\r\n",
		func(heads string) bool { return len(heads)+strings.Count(heads, "\n") > maxHead-200 }, onlyNetHTTPAnswers},
}

// A difference that is gone has no place in the table.
func TestEveryListedDifferenceFromNetHTTPStillExists(t *testing.T) {
	for _, d := range differences {
		t.Run(d.reason, func(t *testing.T) {
			ours, theirs := readByH1([]byte(d.example)), readByNetHTTP([]byte(d.example))
			if ours == theirs || !d.applies(heads([]byte(d.example))) || !d.allowed(ours, theirs) {
				t.Errorf("the example is read as %+v, and by net/http as %+v", ours, theirs)
			}
		})
	}
}

func headsWith(pattern string) func(heads string) bool {
	return regexp.MustCompile(`(?im)` + pattern).MatchString
}

func onlyNetHTTPAnswers(ours, theirs reading) bool { return ours.status < 0 }
func onlyH1Answers(ours, theirs reading) bool      { return theirs.status < 0 && !ours.reuse }
func onlyNetHTTPReuses(ours, theirs reading) bool  { return theirs.status == ours.status && !ours.reuse }

func onlyNetHTTPReusesTheSameAnswer(ours, theirs reading) bool {
	return onlyNetHTTPReuses(ours, theirs) && ours.body == theirs.body
}

func onlyNetHTTPReusesALargeBody(ours, theirs reading) bool {
	return onlyNetHTTPReuses(ours, theirs) && theirs.body > maxDrain
}

func onlyNetHTTPReusesAfterMuchFraming(ours, theirs reading) bool {
	gaveUpEarlier := !theirs.reuse && ours.body < theirs.body
	return onlyNetHTTPReuses(ours, theirs) && (theirs.read-theirs.body > maxFraming || gaveUpEarlier)
}

var statusLine = regexp.MustCompile(`^HTTP/\S+ +(\d{3})`)

// heads returns data up to the end of the final head, with line feeds alone, or as much of it as is
// ever read.
func heads(data []byte) string {
	data = data[:min(len(data), 2*maxHead)]
	var b strings.Builder
	interim := false
	for i, line := range strings.SplitAfter(string(data), "\n") {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if status := statusLine.FindStringSubmatch(line); status != nil {
			code, _ := strconv.Atoi(status[1])
			interim = code >= 100 && code < 200 && code != 101
		}
		b.WriteString(line + "\n")
		if line == "" && i > 0 && !interim {
			break
		}
	}
	return b.String()
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
		text := heads(data)
		for _, d := range differences {
			if d.applies(text) && d.allowed(ours, theirs) {
				return
			}
		}
		t.Errorf("%.1000q\n\tis read as      %+v\n\tby net/http as  %+v", data, ours, theirs)
	})
}
