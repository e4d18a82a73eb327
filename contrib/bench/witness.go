//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// witness is a listener in this process that takes down in which order payloads
// come, and when the first one did.
type witness struct {
	socket net.Listener

	mu    sync.Mutex
	first time.Time
	order []int32 // numbers of the payloads
	wrong error
}

func newWitness() (*witness, error) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &witness{socket: socket}
	go func() {
		for {
			c, err := socket.Accept()
			if err != nil {
				return
			}
			go w.serve(c)
		}
	}()
	return w, nil
}

func (w *witness) url() string { return "http://" + w.socket.Addr().String() + "/api/profiling" }

// expect begins a new record of n payloads.
func (w *witness) expect(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first, w.order, w.wrong = time.Time{}, make([]int32, 0, n), nil
}

func (w *witness) serve(c net.Conn) {
	defer c.Close()
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	in := bufio.NewReaderSize(c, 8<<10)
	for {
		n, err := readPayload(in)
		if n < 0 {
			return // the client has left between two requests
		}
		w.note(n, err)
		if err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

func (w *witness) note(n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.first.IsZero() {
		w.first = time.Now()
	}
	if err != nil {
		w.wrong = err
		return
	}
	w.order = append(w.order, int32(n))
}

// readPayload reads a request and returns the number of its payload; -1 when there
// is none.
func readPayload(in *bufio.Reader) (int, error) {
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil && first {
			return -1, nil
		}
		if err != nil {
			return 0, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		}
	}
	if length < minPayload {
		return 0, fmt.Errorf("a body of %d bytes is no payload", length)
	}
	start, err := in.Peek(numberAt + numberDigits)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(start[numberAt:]))
	if err != nil {
		return 0, err
	}
	_, err = in.Discard(length)
	return n, err
}

// disorder says how far the payloads came from the order of their age: by how many
// places at most, among the first so many and among all. An error means that one is
// missing or came twice.
func (w *witness) disorder(n, among int) (early, all int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrong != nil {
		return 0, 0, fmt.Errorf("the listener was sent something odd: %w", w.wrong)
	}
	seen := make([]bool, n)
	for place, number := range w.order {
		if int(number) >= n || seen[number] {
			return 0, 0, fmt.Errorf("payload %d came twice or was never spooled", number)
		}
		seen[number] = true
		off := max(place-int(number), int(number)-place)
		if all = max(all, off); place < among {
			early = max(early, off)
		}
	}
	if len(w.order) != n {
		return 0, 0, fmt.Errorf("%d of %d payloads came", len(w.order), n)
	}
	return early, all, nil
}
