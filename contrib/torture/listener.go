//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// listener is the HTTP listener of all environments: each has a path of its own. It remembers
// every request.
type listener struct {
	base   string // URL without a path
	server *http.Server

	mu        sync.Mutex
	endpoints map[string]*endpoint // by path
}

// answer is what an endpoint answers to a request.
type answer struct {
	status     int // 0: closes the connection instead
	retryAfter string
	delay      time.Duration
	connection string // one of the constants below; "": it lives on
}

// Ways in which a connection dies.
const (
	dropReused    = "without an answer, if it was used before"
	closeSilently = "after the answer, without a word"
	lateTimeout   = "after the answer, and a 408 a little later"
)

// endpoint is one environment's part of the listener.
type endpoint struct {
	batch string // format of requests that hold several items; "" = each holds one

	mu     sync.Mutex
	answer func(body string) answer
	seen   []delivery
	stored func() []delivery // the items are in a stream, and not here; nil: they are here
}

// delivery is an item that came in a complete request.
type delivery struct {
	body   string // of the item
	key    string
	batch  string // body of the request, where it holds several items
	status int    // of the answer
	at     time.Time
}

func (d delivery) accepted() bool { return d.status >= 200 && d.status < 300 }

// payload is what the request's key stands for: several items, or one, whether that goes as a
// batch of one or as it is.
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
	l := &listener{base: "http://" + socket.Addr().String(), endpoints: map[string]*endpoint{}}
	l.server = &http.Server{Handler: l, ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, requestsKey{}, new(atomic.Int64))
	}}
	go l.server.Serve(socket)
	return l, nil
}

// requestsKey is the context key of the number of requests on a connection.
type requestsKey struct{}

func (l *listener) close() { l.server.Close() }

// endpoint adds an environment, whose listener says 200 until told otherwise.
func (l *listener) endpoint(name string) *endpoint {
	p := &endpoint{answer: always(200)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endpoints["/"+name] = p
	return p
}

func (l *listener) forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.endpoints, "/"+name)
}

func always(status int) func(string) answer {
	return func(string) answer { return answer{status: status} }
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	p := l.endpoints[r.URL.Path]
	l.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if p == nil || err != nil || int64(len(body)) != r.ContentLength {
		panic(http.ErrAbortHandler) // an incomplete request was never delivered
	}
	first := r.Context().Value(requestsKey{}).(*atomic.Int64).Add(1) == 1
	a := p.receive(delivery{body: string(body), key: strings.Trim(r.Header.Get("Idempotency-Key"), `"`)}, first)
	if a.delay > 0 {
		time.Sleep(a.delay)
	}
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	if a.status < 300 {
		w.Header().Set("Content-Length", "0")
	}
	w.WriteHeader(a.status)
	if a.status >= 300 {
		fmt.Fprintf(w, "no: %d\n", a.status)
	}
	if a.connection == closeSilently || a.connection == lateTimeout {
		die(w, a.connection)
	}
}

// die ends a connection on which an answer has been written.
func die(w http.ResponseWriter, how string) {
	c := http.NewResponseController(w)
	_ = c.Flush()
	conn, _, err := c.Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if how == lateTimeout {
		time.Sleep(time.Millisecond)
		io.WriteString(conn, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	}
}

// receive remembers a request before it is answered: a listener that has the bytes has the item,
// even if its answer is lost.
func (p *endpoint) receive(d delivery, first bool) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.answer(d.body)
	if a.connection == dropReused && !first {
		a.status = 0
	}
	d.status, d.at = a.status, time.Now()
	p.seen = append(p.seen, p.split(d)...)
	return a
}

// split takes a batch apart.
func (p *endpoint) split(d delivery) (items []delivery) {
	var bodies []string
	switch p.batch {
	case "":
		return []delivery{d}
	case "ndjson":
		bodies = strings.Split(strings.TrimSuffix(d.body, "\n"), "\n")
	case "array":
		var elements []json.RawMessage
		if json.Unmarshal([]byte(d.body), &elements) != nil {
			return []delivery{d} // the inventory will not know these bytes
		}
		for _, element := range elements {
			bodies = append(bodies, string(element))
		}
	}
	for _, body := range bodies {
		item := d
		item.body, item.batch = body, d.body
		items = append(items, item)
	}
	return items
}

// answers changes what the listener answers from now on.
func (p *endpoint) answers(answer func(body string) answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *endpoint) deliveries() []delivery {
	if p.stored != nil {
		return p.stored()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]delivery(nil), p.seen...)
}

// count returns how many items were received so far.
func (p *endpoint) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.seen)
}
