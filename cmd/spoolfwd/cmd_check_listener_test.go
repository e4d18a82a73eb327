package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// fakelistener reads a whole request and answers it once. What it cannot do wrong stands here.
func TestCheckListenerFindsAnswersThatComeEarlyOrTwice(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, c := range []struct {
		name   string
		early  string // sent when the head is there
		answer string // sent when the body is there
		code   exit.Code
		says   []string
	}{
		{"once", "", ok, exit.OK, []string{"ok   contract: the answer comes when the whole item has been sent", "ok   contract: the connection can be used again"}},
		{"early", ok, "", exit.Left, []string{"fail contract: it answers before it has the whole item: such an item can be lost",
			"answer when the whole request has been read"}},
		{"twice", "", ok + ok, exit.Left, []string{"fail contract: it sends more than one answer: the second would be taken for that to the next item",
			"--keep-alive=false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			url := serveConns(t, func(conn net.Conn) {
				for in := bufio.NewReader(conn); ; {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					io.WriteString(conn, c.early)
					io.Copy(io.Discard, r.Body)
					io.WriteString(conn, c.answer)
				}
			})
			r := w.do("check", "--listener", "--url", url).wantCode(t, c.code)
			wantText(t, "check", r.stdout, c.says...)
		})
	}
}

// serveConns hands every connection to a function, and returns a URL.
func serveConns(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}
