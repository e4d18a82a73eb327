package transmit

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSend races the transmitter against a plain net/http client, into the same listener in
// the same process. The listener does the least that a listener can, and allocates nothing. The
// metric cpu-ns/op is the processor time of the whole process; other work on the machine does not
// count in it.
func BenchmarkSend(b *testing.B) {
	const size = 1024
	listener := listen(b, nil, func(c net.Conn, _ int) {
		br := bufio.NewReader(c)
		answer := []byte("HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Length: 2\r\n\r\nok")
		for {
			line, err := br.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) > 2 {
				continue
			}
			if _, err := br.Discard(size); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	})
	body := bytes.Repeat([]byte("a"), size)

	t, err := New(Config{URL: listener.url(), MaxIdle: 16})
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
		r, err := http.NewRequest("POST", listener.url(), bytes.NewReader(body))
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
			defer reportCPU(b)()
			for b.Loop() {
				with.send(b)
			}
		})
		b.Run(with.name+"/x4", func(b *testing.B) {
			b.ReportAllocs()
			defer reportCPU(b)()
			parallel(b, 4, func() { with.send(b) })
		})
	}
}

// reportCPU measures the process from now until the function that it returns is called.
func reportCPU(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
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

// BenchmarkCompress encodes what a profiler writes.
func BenchmarkCompress(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var text []byte
	for len(text) < 1<<20 {
		text = fmt.Appendf(text, `{"trace_id":"%016x","span":"%08x","name":"App\\Controller\\Order::index","wall_ms":%d,"memory":%d,"sql":"SELECT * FROM orders WHERE id = %d"},`,
			random.Uint64(), random.Uint32(), random.IntN(9999), random.IntN(1<<24), random.IntN(1e6))
	}
	for _, name := range []string{"gzip", "zstd"} {
		for _, size := range []int{1 << 10, 16 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				z, err := newCompressor(name)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				b.SetBytes(int64(size))
				length := 0
				for b.Loop() {
					buffer := z.encode(text[:size])
					length = buffer.Len()
					z.release(buffer)
				}
				b.ReportMetric(float64(size)/float64(length), "ratio")
			})
		}
	}
}
