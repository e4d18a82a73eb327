//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"

	"golang.org/x/sys/unix"
)

// byHand is the least HTTP that delivers a spool: goroutines with a connection each, requests put
// together from bytes, answers checked for status and length alone, files through bare system
// calls. A program that must also be correct is measured against it.
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
	return share(concurrency, len(entries), func() (func(i int) error, error) {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			return nil, err
		}
		// The connection ends with the process: closing it is not part of the race.
		buffer, in, out := make([]byte, b.size+1), make([]byte, 4<<10), []byte(nil)
		return func(i int) error {
			body, err := readAt(dir, entries[i].Name(), buffer)
			if err != nil {
				return err
			}
			out = fmt.Appendf(out[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", u.Path, u.Host, len(body), body)
			if _, err := conn.Write(out); err != nil {
				return err
			}
			if err := readAnswer(conn, in); err != nil {
				return err
			}
			return unix.Unlinkat(dir, entries[i].Name(), 0)
		}, nil
	})
}

// readAnswer reads one answer with a Content-Length that fits into buffer.
func readAnswer(conn net.Conn, buffer []byte) error {
	have, want := 0, -1
	for want < 0 || have < want {
		n, err := conn.Read(buffer[have:])
		if err != nil {
			return err
		}
		have += n
		if end := bytes.Index(buffer[:have], []byte("\r\n\r\n")); end >= 0 && want < 0 {
			_, rest, _ := bytes.Cut(buffer[:end], []byte("Content-Length: "))
			length := 0
			if _, err := fmt.Sscan(string(rest), &length); err != nil {
				return errors.New("an answer without a length")
			}
			want = end + 4 + length
		}
	}
	if !bytes.HasPrefix(buffer, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the answer is %.20q", buffer)
	}
	return nil
}
