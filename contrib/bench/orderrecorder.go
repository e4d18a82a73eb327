//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// orderRecorder is a listener that records in which order payloads come, and when the first one
// comes.
type orderRecorder struct {
	socket net.Listener

	mu    sync.Mutex
	first time.Time
	order []int32 // numbers of the payloads
	err   error   // a request that is not a payload
}

func newOrderRecorder() (*orderRecorder, error) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &orderRecorder{socket: socket}
	go http.Serve(socket, l)
	return l, nil
}

func (l *orderRecorder) close() { l.socket.Close() }

func (l *orderRecorder) url() string { return "http://" + l.socket.Addr().String() + "/api/profiling" }

// expect begins a new record of n payloads.
func (l *orderRecorder) expect(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first, l.order, l.err = time.Time{}, make([]int32, 0, n), nil
}

func (l *orderRecorder) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first.IsZero() {
		l.first = time.Now()
	}
	var start [numberAt + numberDigits]byte
	_, err := io.ReadFull(r.Body, start[:])
	n, errNumber := strconv.Atoi(string(start[numberAt:]))
	if err != nil || errNumber != nil {
		l.err = fmt.Errorf("a request holds %q", start)
		return
	}
	io.Copy(io.Discard, r.Body)
	l.order = append(l.order, int32(n))
}

// disorder says by how many places a payload came off the order of age, at most. An error means
// that a payload is missing or came twice.
func (l *orderRecorder) disorder(n int) (most int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	seen := make([]bool, n)
	for place, number := range l.order {
		if int(number) >= n || seen[number] {
			return 0, fmt.Errorf("payload %d came twice or was never spooled", number)
		}
		seen[number] = true
		most = max(most, place-int(number), int(number)-place)
	}
	if len(l.order) != n {
		return 0, fmt.Errorf("%d of %d payloads came", len(l.order), n)
	}
	return most, nil
}
