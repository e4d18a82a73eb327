package h1

import (
	"bufio"
	"io"
	"net/http/httputil"
	"regexp"
	"slices"
	"strings"
)

// difference is a kind of answer that the two read differently, and why that is right.
type difference struct {
	reason  string
	example string
	applies func(p parts) bool
	allowed func(ours, theirs reading) bool
}

// In none of them does this package use a connection again that net/http gives up.
var differences = []difference{
	{"a status line is HTTP/1, one space, a status from 100 to 999: anything else may be another protocol",
		"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		startsWith(`^(HTTP/[02-9]|HTTP/\S+ ( |[+-]|0\d\d))`), onlyNetHTTPAnswers},
	{"a malformed header puts the end of an answer in doubt, and not its status",
		"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nok",
		headersWith(`^(` + malformed + `)`), onlyH1Answers},
	{"so does a length that is not one, or two of them",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
		inSomeHead(hasDoubtfulLength), onlyH1Answers},
	{"so does a coding other than chunked, or two of them",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nok",
		inSomeHead(hasOtherCoding), onlyH1Answers},
	{"so does the announcement of a length or a coding that comes behind the body",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\n\r\n",
		headersWith(`^trailer:(.*,)?[ \t]*(content-length|transfer-encoding|trailer)[ \t]*(,|$)`), onlyH1Answers},
	{"a header may be folded for net/http, for which the connection is good",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
		headersWith(`^[ \t]`), onlyNetHTTPReuses},
	{"a space in a name is a classic of smuggling: net/http takes the name as it is",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\nok",
		headersWith(`^[^:\n]* [^:\n]*:`), onlyNetHTTPReuses},
	{"both a length and chunks are a classic of smuggling: net/http believes the chunks",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		headersWith(`^transfer-encoding:(?s:.*)^content-length:|^content-length:(?s:.*)^transfer-encoding:`), onlyNetHTTPReuses},
	{"a coding in HTTP/1.0 has no meaning for net/http: whoever sends it may mean it",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		both(startsWith(`^HTTP/1\.0 `), headersWith(`^transfer-encoding:`)), onlyNetHTTPReuses},
	{"a 204 or 304 that announces a body may be followed by one",
		"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
		both(startsWith(`^HTTP/1\.. [23]04`), headersWith(`^(content-length|transfer-encoding):`)), onlyNetHTTPReuses},
	{"a body of more than 64 KiB is not worth reading for the sake of a connection",
		"HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n" + strings.Repeat("x", 65537),
		headersWith(`^(content-length|transfer-encoding):`), onlyNetHTTPReusesALargeBody},
	{"nor is more than 4 KiB of chunk sizes and trailers",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 1000) + "0\r\n\r\n",
		both(headersWith(`^transfer-encoding:`), func(p parts) bool { return len(p.rest) > maxFraming }), onlyNetHTTPReusesAfterMuchFraming},
	{"a trailer that is malformed, or that ends its lines otherwise, puts the end of an answer in doubt",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n\r\n\r\n",
		both(headersWith(`^transfer-encoding:`), hasDoubtfulTrailer), onlyNetHTTPReusesTheSameAnswer},
	{"more than 16 interim answers are not worth waiting for",
		strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 17) + "HTTP/1.1 200 OK\r\n\r\n",
		func(p parts) bool { return len(p.heads) > maxInterim }, onlyNetHTTPAnswers},
	{"headers of more than 64 KiB are not either",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHead) + "\r\n\r\n",
		func(p parts) bool { return p.size > maxHead }, onlyNetHTTPAnswers},
}

// malformed is the beginning of a header that is not one: folded, or without a colon, or with a
// character in its name or value that cannot be there.
const malformed = `[ \t]|[^:\n]+$|[^:\n]*[^!#$%&'*+.^_|~0-9A-Z\x60:\n-][^:\n]*:|:|[^:\n]+:.*[\x00-\x08\x0b-\x1f\x7f]`

func inSomeHead(has func(head) bool) func(parts) bool {
	return func(p parts) bool { return slices.ContainsFunc(p.heads, has) }
}

func startsWith(pattern string) func(parts) bool {
	matches := regexp.MustCompile(`(?i)` + pattern).MatchString
	return inSomeHead(func(h head) bool { return matches(h.start) })
}

func headersWith(pattern string) func(parts) bool {
	matches := regexp.MustCompile(`(?im)` + pattern).MatchString
	return inSomeHead(func(h head) bool { return matches(h.headers) })
}

func both(a, b func(parts) bool) func(parts) bool {
	return func(p parts) bool { return a(p) && b(p) }
}

var isLength = regexp.MustCompile(`^[0-9]{1,18}$`).MatchString

// hasDoubtfulLength reports whether one of the lengths is not a number, or two of them differ.
func hasDoubtfulLength(h head) bool {
	values := h.values("content-length")
	return slices.ContainsFunc(values, func(v string) bool { return !isLength(v) || v != values[0] })
}

func hasOtherCoding(h head) bool {
	values := h.values("transfer-encoding")
	return len(values) > 1 || len(values) == 1 && !strings.EqualFold(values[0], "chunked")
}

var malformedLine = regexp.MustCompile(`(?i)^(` + malformed + `)`)

// hasDoubtfulTrailer reports whether a line behind the last chunk is malformed, or does not end
// with a carriage return and a line feed.
func hasDoubtfulTrailer(p parts) bool {
	br := bufio.NewReader(strings.NewReader(p.rest))
	if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(br)); err != nil {
		return false
	}
	for {
		line, err := br.ReadString('\n')
		text, whole := strings.CutSuffix(line, "\r\n")
		switch {
		case err != nil || line == "\r\n":
			return false
		case !whole || strings.Contains(text, "\r") || malformedLine.MatchString(text):
			return true
		}
	}
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

// parts are an answer, or as much of it as is ever read.
type parts struct {
	heads []head // the interim ones and the final one
	size  int    // of the heads
	rest  string // all behind them
}

// head has line feeds alone.
type head struct {
	start   string // the first line, where the status belongs
	headers string
}

// values returns what the headers of a name say.
func (h head) values(name string) (values []string) {
	for line := range strings.Lines(h.headers) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, name) {
			values = append(values, strings.Trim(value, " \t\n"))
		}
	}
	return values
}

var interimStatus = regexp.MustCompile(`^HTTP/\S+ +1(0[02-9]|[1-9]\d)`).MatchString

func cut(data []byte) parts {
	p := parts{rest: string(data)}
	var lines []string
	for p.rest != "" && p.size <= maxHead {
		line, rest, _ := strings.Cut(p.rest, "\n")
		p.size += len(p.rest) - len(rest)
		p.rest = rest
		line = strings.TrimSuffix(line, "\r")
		if line != "" || len(lines) == 0 {
			lines = append(lines, line)
			continue
		}
		p.heads = append(p.heads, head{lines[0], strings.Join(lines[1:], "\n")})
		if !interimStatus(lines[0]) {
			return p
		}
		lines = nil
	}
	if len(lines) > 0 {
		p.heads = append(p.heads, head{lines[0], strings.Join(lines[1:], "\n")})
	}
	return p
}
