//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"golang.org/x/sys/unix"
)

// byHand is the least that delivers a spool: goroutines with a connection each,
// requests put together from bytes, answers looked at for status and length alone,
// files through bare system calls. It is what a drain that must also be correct is
// measured against.
func (b *bench) byHand(target string, concurrency int) error {
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	entries, dir, err := b.list()
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	return spread(concurrency, len(entries), func() (w worker, err error) {
		h := &handmade{dir: dir, head: []byte("POST " + u.Path + " HTTP/1.1\r\nHost: " + u.Host +
			"\r\nContent-Type: application/json\r\nContent-Length: ")}
		h.buffer, h.in = make([]byte, b.size+1), make([]byte, 4<<10)
		h.conn, err = net.Dial("tcp", u.Host)
		if err != nil {
			return w, err
		}
		w.do = func(i int) error { return h.deliver(entries[i].Name()) }
		w.end = h.conn.Close
		return w, nil
	})
}

// handmade is one connection.
type handmade struct {
	conn    net.Conn
	dir     int
	head    []byte
	buffer  []byte // of the payload file
	out, in []byte
}

func (h *handmade) deliver(name string) error {
	body, err := readAt(h.dir, name, h.buffer, false)
	if err != nil {
		return err
	}
	h.out = append(h.out[:0], h.head...)
	h.out = strconv.AppendInt(h.out, int64(len(body)), 10)
	h.out = append(h.out, "\r\n\r\n"...)
	h.out = append(h.out, body...)
	if _, err := h.conn.Write(h.out); err != nil {
		return err
	}
	if err := h.answer(); err != nil {
		return err
	}
	return unix.Unlinkat(h.dir, name, 0)
}

// answer reads one answer with a Content-Length and a body that fits into in.
func (h *handmade) answer() error {
	have, want := 0, -1
	for want < 0 || have < want {
		n, err := h.conn.Read(h.in[have:])
		if err != nil {
			return err
		}
		have += n
		if end := bytes.Index(h.in[:have], []byte("\r\n\r\n")); end >= 0 && want < 0 {
			_, rest, found := bytes.Cut(h.in[:end], []byte("Content-Length: "))
			value, _, _ := bytes.Cut(rest, []byte("\r\n"))
			length, err := strconv.Atoi(string(value))
			if !found || err != nil {
				return errors.New("an answer without a length")
			}
			want = end + 4 + length
		}
	}
	if !bytes.HasPrefix(h.in, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the answer is %.20q", h.in)
	}
	return nil
}
