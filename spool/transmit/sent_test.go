package transmit

import (
	"bufio"
	"net"
	"testing"
)

// A payload can be the cause of a failure only if the listener has seen some of it.
func TestAVerdictWithoutAnAnswerSaysWhetherTheListenerSawTheRequest(t *testing.T) {
	closing := listen(t, nil, func(net.Conn, int) {})
	silent := listen(t, nil, func(c net.Conn, _ int) { readRequest(bufio.NewReader(c)) })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, test := range []struct {
		name string
		url  string
		want bool
	}{
		{"nothing listens", "http://" + closed.Addr().String(), false},
		{"the connection ends before the request", closing.url(), false},
		{"the connection ends without an answer", silent.url(), true},
		{"the listener speaks no TLS", "https://" + closing.address, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := send(newTransmitter(t, Config{URL: test.url}), "{}")
			mustHold(t, v, Kept, 0, "")
			if v.Sent != test.want {
				t.Errorf("Sent is %v, want %v: %v", v.Sent, test.want, v.Err)
			}
		})
	}
}
