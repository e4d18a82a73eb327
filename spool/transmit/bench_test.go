package transmit

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkSend races the transmitter against a plain net/http loop, at the same listener in the same process.
func BenchmarkSend(b *testing.B) {
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer listener.Close()
	body := bytes.Repeat([]byte("a"), 1024)

	t, err := New(Config{URL: listener.URL, MaxIdle: 16})
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	transmit := func(b *testing.B) {
		if v := t.Send(context.Background(), Request{Body: body, Key: "0123456789abcdef0123456789abcdef"}); v.Action != Delivered {
			b.Error(v.Err)
		}
	}

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	plain := func(b *testing.B) {
		r, err := http.NewRequest("POST", listener.URL, bytes.NewReader(body))
		if err != nil {
			b.Error(err)
			return
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", `"0123456789abcdef0123456789abcdef"`)
		answer, err := client.Do(r)
		if err != nil {
			b.Error(err)
			return
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}

	for _, with := range []struct {
		name string
		send func(*testing.B)
	}{{"transmit", transmit}, {"nethttp", plain}} {
		b.Run(with.name+"/x1", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				with.send(b)
			}
		})
		b.Run(with.name+"/x4", func(b *testing.B) {
			b.ReportAllocs()
			parallel(b, 4, func() { with.send(b) })
		})
	}
}

// parallel runs f b.N times, spread over n goroutines.
func parallel(b *testing.B, n int, f func()) {
	turns := make(chan struct{}, n)
	done := make(chan struct{})
	for range n {
		go func() {
			for range turns {
				f()
			}
			done <- struct{}{}
		}()
	}
	b.ResetTimer()
	for range b.N {
		turns <- struct{}{}
	}
	close(turns)
	for range n {
		<-done
	}
}
