//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// listener is the HTTP listener of all worlds: each has a path of its own. It
// remembers every request, because what was delivered must be known better than
// the product knows it.
type listener struct {
	base   string // URL without a path
	server *http.Server

	mu     sync.Mutex
	worlds map[string]*endpoint
}

// answer is what an endpoint says to a request.
type answer struct {
	status     int // 0: closes the connection instead
	retryAfter string
	delay      time.Duration
	close      bool // the connection, after the answer
}

// endpoint is one world's part of the listener.
type endpoint struct {
	url string

	batch string // format of requests that hold several items; "" = each holds one

	mu   sync.Mutex
	say  func(body string) answer
	seen []delivery
}

// delivery is a request that came in whole.
type delivery struct {
	body   string // of the item
	key    string
	batch  string // the whole request, where it holds several items
	run    string // which process sent it, if it said so
	status int    // that it was answered with
	at     time.Time
}

func (d delivery) accepted() bool { return d.status >= 200 && d.status < 300 }

// payload is what the request's key stands for: several items, or one, whether
// that goes as a batch of one or as it is.
func (d delivery) payload() string {
	if d.batch == "" || strings.Trim(d.batch, "[]\n") == d.body {
		return d.body
	}
	return d.batch
}

func listen() (*listener, error) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &listener{base: "http://" + socket.Addr().String(), worlds: map[string]*endpoint{}}
	l.server = &http.Server{Handler: l}
	go l.server.Serve(socket)
	return l, nil
}

func (l *listener) close() { l.server.Close() }

// endpoint adds a world, whose listener says 200 until told otherwise.
func (l *listener) endpoint(name string) *endpoint {
	e := &endpoint{url: l.base + "/" + name, say: always(200)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.worlds["/"+name] = e
	return e
}

func (l *listener) forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.worlds, "/"+name)
}

func always(status int) func(string) answer {
	return func(string) answer { return answer{status: status} }
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	e := l.worlds[r.URL.Path]
	l.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if e == nil || err != nil || int64(len(body)) != r.ContentLength {
		panic(http.ErrAbortHandler) // not a whole request: it was never delivered
	}
	a := e.take(delivery{body: string(body), key: keyOf(r.Header), run: r.Header.Get("X-Run")})
	if a.delay > 0 {
		time.Sleep(a.delay)
	}
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	if a.close {
		w.Header().Set("Connection", "close")
	}
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	w.WriteHeader(a.status)
	if a.status >= 300 {
		fmt.Fprintf(w, "no: %d\n", a.status)
	}
}

// keyOf is the text of a request's Idempotency-Key.
func keyOf(h http.Header) string { return strings.Trim(h.Get("Idempotency-Key"), `"`) }

// take remembers a request before it is answered: whoever has its bytes has it,
// whatever becomes of the answer.
func (e *endpoint) take(d delivery) answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.say(d.body)
	d.status, d.at = a.status, time.Now()
	e.seen = append(e.seen, e.unpack(d)...)
	return a
}

// unpack takes a batch apart.
func (e *endpoint) unpack(d delivery) (items []delivery) {
	var bodies []string
	switch e.batch {
	case "":
		return []delivery{d}
	case "ndjson":
		bodies = strings.Split(strings.TrimSuffix(d.body, "\n"), "\n")
	case "array":
		var elements []json.RawMessage
		if json.Unmarshal([]byte(d.body), &elements) != nil {
			return []delivery{d} // which nobody will know
		}
		for _, element := range elements {
			bodies = append(bodies, string(element))
		}
	}
	for _, body := range bodies {
		one := d
		one.body, one.batch = body, d.body
		items = append(items, one)
	}
	return items
}

// answers changes what the listener says from now on.
func (e *endpoint) answers(say func(body string) answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.say = say
}

// record adds a delivery that another listener has seen.
func (e *endpoint) record(d delivery) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, d)
}

// deliveries returns what was seen so far.
func (e *endpoint) deliveries() []delivery {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]delivery(nil), e.seen...)
}

// count returns how many items were seen so far.
func (e *endpoint) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.seen)
}

// sent reports whether the process that calls itself run has sent anything.
func (e *endpoint) sent(run string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.seen, func(d delivery) bool { return d.run == run })
}
