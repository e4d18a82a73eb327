package drain_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// benchSize is the bytes of a payload file.
const benchSize = 1024

// BenchmarkDrain empties a spool of b.N payload files, so that what it reports is per payload: with
// a transmitter that does nothing, which shows what the drain costs by itself, and with the real
// one and a listener on loopback. That listener is in this process and allocates nothing.
func BenchmarkDrain(b *testing.B) {
	url := benchListener(b)
	transmitters := []struct {
		name string
		new  func(b *testing.B, concurrency int) drain.Transmitter
	}{
		{"nowhere", func(*testing.B, int) drain.Transmitter { return nowhere{} }},
		{"loopback", func(b *testing.B, concurrency int) drain.Transmitter {
			t, err := transmit.New(transmit.Config{URL: url, MaxIdle: concurrency, Getenv: func(string) string { return "" }})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(t.Close)
			return t
		}},
	}
	ways := []struct {
		name               string
		concurrency, batch int
	}{{"x1", 1, 1}, {"x4", 4, 1}, {"x16", 16, 1}, {"x4batch100", 4, 100}}
	for _, to := range transmitters {
		for _, way := range ways {
			b.Run(to.name+"/"+way.name, func(b *testing.B) {
				s := benchSpool(b)
				cfg := drain.Config{
					Spool:       s,
					Breaker:     benchBreaker(b),
					Transmitter: to.new(b, way.concurrency),
					Concurrency: way.concurrency,
					BatchItems:  way.batch,
				}
				b.ReportAllocs()
				b.ResetTimer()
				report, err := drain.Run(context.Background(), cfg)
				if err != nil || report.Delivered != b.N || report.Removed != b.N {
					b.Fatalf("of %d payload files, %d were delivered and %d removed: %v %v", b.N, report.Delivered, report.Removed, err, report.Errors)
				}
			})
		}
	}
}

// BenchmarkScan walks a spool of b.N payload files once.
func BenchmarkScan(b *testing.B) {
	s := benchSpool(b)
	b.ReportAllocs()
	b.ResetTimer()
	w, err := s.Scan(spool.Entry{}, 0)
	if err != nil || w.Files != b.N {
		b.Fatalf("the scan found %d of %d files: %v", w.Files, b.N, err)
	}
}

// BenchmarkRead reads payload files with one buffer.
func BenchmarkRead(b *testing.B) {
	s := benchSpool(b)
	w, err := s.Scan(spool.Entry{}, b.N)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	var buf []byte
	b.ReportAllocs()
	b.ResetTimer()
	for e := range w.Entries.All() {
		p, err := s.Read(e, now, buf)
		if err != nil {
			b.Fatal(err)
		}
		buf = p.Data
	}
}

// benchSpool makes a spool of b.N payload files.
func benchSpool(b *testing.B) *spool.Spool {
	dir := b.TempDir()
	body := bytes.Repeat([]byte("x"), benchSize)
	copy(body, `{"url":"/checkout","text":"`)
	copy(body[benchSize-2:], `"}`)
	start := time.Now().Add(-time.Hour)
	for i := range b.N {
		written := start.Add(time.Duration(i) * time.Millisecond)
		file := filepath.Join(dir, fmt.Sprintf("%s_%08x.json", written.Format("profile_20060102_150405"), i))
		if err := os.WriteFile(file, body, 0o600); err != nil {
			b.Fatal(err)
		}
		if err := os.Chtimes(file, written, written); err != nil {
			b.Fatal(err)
		}
	}
	s, err := spool.Open(spool.Config{Dir: dir, HostID: "machine"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func benchBreaker(b *testing.B) *breaker.Breaker {
	k, err := breaker.New(breaker.Config{StateDir: b.TempDir()})
	if err == nil {
		err = k.Open(time.Now())
	}
	if err != nil {
		b.Fatal(err)
	}
	return k
}

// nowhere takes everything at once.
type nowhere struct{}

func (nowhere) Send(context.Context, transmit.Request) transmit.Verdict { return ok() }

// benchListener answers every request with 200, and does nothing that costs.
func benchListener(b *testing.B) (url string) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { socket.Close() })
	go func() {
		for {
			c, err := socket.Accept()
			if err != nil {
				return
			}
			go benchAnswer(c)
		}
	}()
	return "http://" + socket.Addr().String() + "/api/profiling"
}

func benchAnswer(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	for length := 0; ; {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length = 0
			for _, c := range bytes.TrimSpace(value) {
				length = 10*length + int(c-'0')
			}
		}
		if len(line) > 2 {
			continue
		}
		if _, err := in.Discard(length); err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
