package transmit

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// The bytes on the wire, once, in full.
func TestTheRequestOnTheWire(t *testing.T) {
	got := make(chan string, 1)
	l := listen(t, nil, func(c net.Conn, _ int) {
		buffer := make([]byte, 4096)
		n, _ := c.Read(buffer)
		got <- string(buffer[:n])
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	})
	tr := newTransmitter(t, Config{
		URL: "http://me:pass%20word@" + l.address + "/a%20b?c=d", UserAgent: "spoolfwd/1.2",
		Headers: []string{"X-One: 1", "X-Two:  two  "},
	})
	v := tr.Send(context.Background(), Request{Body: []byte(`{"a":1}`), Key: `k"e\y`})
	mustHold(t, v, Delivered, 200, "")
	want := "POST /a%20b?c=d HTTP/1.1\r\nHost: " + l.address + "\r\nUser-Agent: spoolfwd/1.2\r\n" +
		"Authorization: Basic bWU6cGFzcyB3b3Jk\r\nX-One: 1\r\nX-Two: two\r\nContent-Type: application/json\r\n" +
		"Content-Length: 7\r\nIdempotency-Key: \"k\\\"e\\\\y\"\r\n\r\n{\"a\":1}"
	if wire := <-got; wire != want {
		t.Errorf("on the wire is\n%q, want\n%q", wire, want)
	}
}

func TestBodiesOfEverySizeArriveWhole(t *testing.T) {
	t.Parallel()
	for _, compress := range []string{"", "gzip", "zstd"} {
		var mu sync.Mutex
		var got []byte
		s, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			var err error
			switch body := io.Reader(r.Body); r.Header.Get("Content-Encoding") {
			case "gzip":
				if body, err = gzip.NewReader(body); err == nil {
					got, err = io.ReadAll(body)
				}
			case "zstd":
				var z *zstd.Decoder
				if z, err = zstd.NewReader(body); err == nil {
					got, err = io.ReadAll(z)
					z.Close()
				}
			default:
				got, err = io.ReadAll(body)
				if int64(len(got)) != r.ContentLength {
					t.Errorf("the body has %d bytes, Content-Length says %d", len(got), r.ContentLength)
				}
			}
			if err != nil || r.Header.Get("Content-Encoding") != compress {
				w.WriteHeader(http.StatusUnsupportedMediaType)
			}
		})
		tr := newTransmitter(t, Config{URL: s.URL, Compress: compress})
		for _, size := range []int{0, 1, 1000, 13 << 10, 14 << 10, 15 << 10, 64 << 10, 5 << 20} {
			body := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
			v := tr.Send(context.Background(), Request{Body: body})
			mu.Lock()
			if v.Action != Delivered || !bytes.Equal(got, body) {
				t.Errorf("%d bytes with compression %q are %v (%v), %d arrived", size, compress, v.Action, v.Err, len(got))
			}
			mu.Unlock()
		}
	}
}

func TestTheRequestsContentTypeWins(t *testing.T) {
	var got string
	s, _ := server(t, func(w http.ResponseWriter, r *http.Request) { got = r.Header.Get("Content-Type") })
	tr := newTransmitter(t, Config{URL: s.URL, Headers: []string{"content-type: text/plain"}})
	tr.Send(context.Background(), Request{})
	if got != "text/plain" {
		t.Errorf("the header gave the content type %q", got)
	}
	tr.Send(context.Background(), Request{ContentType: "application/x-ndjson"})
	if got != "application/x-ndjson" {
		t.Errorf("the request gave the content type %q", got)
	}
}

func TestSendsFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := map[string]string{}
	s, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		got[r.Header.Get("Idempotency-Key")] = string(body)
		mu.Unlock()
	})
	for _, compress := range []string{"", "gzip", "zstd"} {
		clear(got)
		tr := newTransmitter(t, Config{URL: s.URL, Compress: compress})
		var senders sync.WaitGroup
		for sender := range 16 {
			senders.Go(func() {
				for n := range 50 {
					key := fmt.Sprintf("%d-%d", sender, n)
					if v := tr.Send(context.Background(), Request{Body: []byte("body " + key), Key: key}); v.Action != Delivered {
						t.Error(v.Err)
					}
				}
			})
		}
		senders.Wait()
		if len(got) != 800 {
			t.Errorf("%d items arrived of 800 with compression %q", len(got), compress)
		}
		for key, body := range got {
			if compress == "" && `"`+strings.TrimPrefix(body, "body ")+`"` != key {
				t.Errorf("under the key %s came %q", key, body)
			}
		}
	}
}
