package main

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// appendAnswer appends the whole answer to a request of the given method. The Connection header
// tells the client whether the connection stays open, as keep says.
func (s step) appendAnswer(b []byte, method string, now time.Time, http10, keep bool) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(s.status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(s.status)...)
	b = append(b, "\r\n"...)
	date := now.Add(s.date).UTC()
	if !s.replaces("Date") {
		b = append(b, "Date: "...)
		b = date.AppendFormat(b, http.TimeFormat)
		b = append(b, "\r\n"...)
	}
	if s.location != "" {
		b = appendHeader(b, "Location", s.location)
	}
	if after, isDate := strings.CutPrefix(s.retryAfter, "@"); isDate {
		d, _ := parseDuration(after) // checked by parseStep
		b = appendHeader(b, "Retry-After", date.Add(d).Format(http.TimeFormat))
	} else if s.retryAfter != "" {
		b = appendHeader(b, "Retry-After", s.retryAfter)
	}
	for _, h := range s.headers {
		b = appendHeader(b, h.name, h.value)
	}
	if s.status/100 == 1 { // an interim answer has neither framing nor body
		return append(b, "\r\n"...)
	}
	if !s.replaces("Connection") {
		if !keep {
			b = append(b, "Connection: close\r\n"...)
		} else if http10 {
			b = append(b, "Connection: keep-alive\r\n"...)
		}
	}
	if s.status == http.StatusNoContent || s.status == http.StatusNotModified {
		return append(b, "\r\n"...)
	}
	if !s.replaces("Content-Type") {
		b = append(b, "Content-Type: application/json\r\n"...)
	}
	body := s.bodyText()
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, "\r\n\r\n"...)
	if method == http.MethodHead {
		return b
	}
	return append(b, body...)
}

func (s step) bodyText() string {
	if s.body != nil {
		return *s.body
	}
	return `{"status":` + strconv.Itoa(s.status) + "}\n"
}

func appendHeader(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// replaces reports whether the script sets this header itself.
func (s step) replaces(name string) bool {
	for _, h := range s.headers {
		if strings.EqualFold(h.name, name) {
			return true
		}
	}
	return false
}

// stays reports whether the connection can be used again after this answer. An interim answer ends
// it, since no final one follows, and so does a "Connection: close" of the script's own.
func (s step) stays() bool {
	for _, h := range s.headers {
		if strings.EqualFold(h.name, "Connection") && strings.EqualFold(h.value, "close") {
			return false
		}
	}
	return s.status/100 != 1
}
