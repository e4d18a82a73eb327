package transmit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// droppingListener ends connections when it likes. It remembers what it has read, and what it said
// last.
type droppingListener struct {
	mu     sync.Mutex
	random *rand.Rand
	seen   map[string]int // requests read whole, by key
	first  map[string]int // of those, the ones that were the first of their connection
	said   map[string]int // the status of the last answer that was written whole
}

// serve answers requests at random until it ends the connection.
func (l *droppingListener) serve(c net.Conn, _ int) {
	br := bufio.NewReader(c)
	for n := 0; ; n++ {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		key := r.Header.Get("Idempotency-Key")
		l.mu.Lock()
		l.seen[key]++
		if n == 0 {
			l.first[key]++
		}
		l.said[key] = 0
		does := l.random.IntN(12)
		l.mu.Unlock()
		status := 200
		switch does {
		case 0: // close
			return
		case 1:
			tcpOf(c).SetLinger(0)
			return
		case 2, 3:
			status = 408
		case 4:
			status = 500
		}
		l.mu.Lock()
		l.said[key] = status
		l.mu.Unlock()
		fmt.Fprintf(c, "HTTP/1.1 %d Something\r\nContent-Length: 0\r\n\r\n", status)
		switch does {
		case 2, 5: // close without having said so
			return
		case 6: // say what balancers say when a connection has been idle, and close
			io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			return
		}
	}
}

// A listener may do anything to its connections. It has read each item that counts as delivered,
// and no item goes out a third time, or a second time after a new connection.
func TestItemsAreDeliveredOnceByListenersThatDropConnections(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	l := &droppingListener{random: rand.New(rand.NewPCG(seed, 0)), seen: map[string]int{}, first: map[string]int{}, said: map[string]int{}}
	raw := listen(t, nil, l.serve)
	tr := newTransmitter(t, Config{URL: raw.url(), Timeout: time.Minute})
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			for n := range 500 {
				key := fmt.Sprintf("%d-%d", sender, n)
				v := tr.Send(context.Background(), Request{Body: []byte("{}"), Key: key})
				l.mu.Lock()
				quoted := `"` + key + `"`
				seen, first, said := l.seen[quoted], l.first[quoted], l.said[quoted]
				l.mu.Unlock()
				switch {
				case v.Action == Delivered && said != 200:
					t.Errorf("seed %d: %s was delivered, and the listener said %d", seed, key, said)
				case v.Status != 0 && v.Status != said:
					t.Errorf("seed %d: %s got a %d, and the listener said %d", seed, key, v.Status, said)
				case seen > 2 || first > 1:
					t.Errorf("seed %d: the listener saw %s %d times, %d of them on a new connection", seed, key, seen, first)
				case v.Action != Delivered && v.Status != 500 && first == 0:
					t.Errorf("seed %d: %s failed without having been sent on a new connection: %v", seed, key, v.Err)
				}
			}
		})
	}
	senders.Wait()
}
