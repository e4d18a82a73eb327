package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// request deals with one request to the listener and reports whether the connection goes on. The
// request is read whole, then let in, given its step, recorded, counted, and only then answered: a
// client that holds its answer finds the request in the record and in the counts.
func (c *conn) request(ctx context.Context, req *http.Request) bool {
	c.stats.begin()
	p, err := c.readBody(req, c.MaxBody)
	if err != nil {
		c.stats.leave()
		if ctx.Err() == nil { // otherwise it was cut off by us
			c.stats.add(func(n *counts) { n.CutOff++ })
		}
		return false
	}
	if c.MaxRequests > 0 && c.admitted.Add(1) > c.MaxRequests {
		c.stats.leave()
		return false
	}
	c.decoder.decode(&p, req.Header.Get("Content-Encoding"))
	s := c.choose(req, p)
	key := bareKey(req.Header.Get("Idempotency-Key"))
	items := 1
	if p.err == nil {
		items = countItems(p.decoded)
	}
	if c.records != nil {
		c.record(req, p, s, key, items)
	}
	if wait := c.Latency + s.delay; wait > 0 {
		pause(ctx, wait)
	}
	c.stats.count(answered{step: s, key: key, body: p.decoded, items: items, size: p.size})
	if c.Log != nil {
		c.logf("%s %q %s, %d bytes, %d items, key %q", req.Method, req.RequestURI, s.label(), p.size, items, key)
	}
	keep := c.perform(ctx, req, s)
	if c.MaxRequests > 0 && c.finished.Add(1) == c.MaxRequests {
		c.end()
	}
	return keep
}

// choose finds the step for a request: the listener's demands on every request come first, then the
// rules, and only then does the script move.
func (c *conn) choose(req *http.Request, p payload) step {
	if req.Method != http.MethodPost && req.Method != http.MethodPut {
		return refusal(http.StatusMethodNotAllowed, "POST or PUT is required", header{"Allow", "POST, PUT"})
	}
	if c.Token != "" && req.Header.Get("Authorization") != "Bearer "+c.Token {
		return refusal(http.StatusUnauthorized, "the bearer token is missing or wrong", header{"WWW-Authenticate", "Bearer"})
	}
	if p.size > c.MaxBody {
		return refusal(http.StatusRequestEntityTooLarge, "the body is too large")
	}
	if c.Schema {
		switch {
		case errors.Is(p.err, errEncoding):
			return refusal(http.StatusUnsupportedMediaType, "the Content-Encoding is none of gzip, zstd", header{"Accept-Encoding", "gzip, zstd"})
		case p.err != nil:
			return refusal(http.StatusBadRequest, "the body cannot be decompressed")
		case !isObject(p.decoded):
			return refusal(http.StatusBadRequest, "a JSON object is required")
		}
	}
	for _, r := range c.Rules {
		if r.matches(p.decoded) {
			return r.step
		}
	}
	return c.player.next()
}

func refusal(status int, reason string, headers ...header) step {
	body := `{"error":"` + reason + "\"}\n"
	s := answerWith(status)
	s.body, s.headers = &body, headers
	return s
}

// record writes the request down. A request that cannot be recorded is answered all the same, and
// serve returns the fault when the listener ends.
func (c *conn) record(req *http.Request, p payload, s step, key string, items int) {
	s.repeat = 1
	err := c.records.record(p.raw, recording{
		Time: time.Now(), Method: req.Method, Path: req.RequestURI, Host: req.Host, Key: key,
		Status: s.status, Step: s.String(), Items: items, Headers: req.Header,
	})
	if err != nil {
		c.fault.CompareAndSwap(nil, &err)
	}
}

// bareKey takes the quotes off an Idempotency-Key, which is a structured-field string (RFC 9651,
// 3.3.3). One without quotes is taken as it is.
func bareKey(value string) string {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return value
	}
	value = value[1 : len(value)-1]
	if strings.IndexByte(value, '\\') < 0 {
		return value
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(value)
}
