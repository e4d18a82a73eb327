package transmit

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLatencyOfAnAnswerLeavesOutMakingTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := func(c net.Conn) {
			defer c.Close()
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				t.Error(err)
				return
			}
			io.Copy(io.Discard, r.Body)
			time.Sleep(300 * time.Millisecond)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}
		tr := newTransmitter(t, Config{URL: "http://listener/", Dial: func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(time.Second)
			near, far := net.Pipe()
			go listener(far)
			return near, nil
		}})
		send(tr, "{}") // the first connection is watched for a while before it is used
		if v := send(tr, "{}"); v.Action != Delivered || v.Latency != 300*time.Millisecond {
			t.Errorf("%v after %v (%v), want a delivery after 300ms", v.Action, v.Latency, v.Err)
		}
	})
}
