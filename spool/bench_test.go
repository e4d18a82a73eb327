package spool_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/spool"
)

// payload is an object of the size of an ordinary profile.
var payload = `{"url":"/","trace":"` + strings.Repeat("x", 4000) + `"}`

func crowd(b *testing.B, dir string, n int) (names []string) {
	b.Helper()
	for i := range n {
		name := fmt.Sprintf("buffer_1763848123.%04d_%08x.json", i%10_000, uint32(i)*2654435761)
		write(b, dir, name, payload, time.Duration(i*7919%n)*time.Millisecond)
		names = append(names, name)
	}
	return names
}

// BenchmarkScan walks a spool of 10,000 files, beside os.ReadDir with the Info of every entry,
// which is how one would do it with the standard library.
func BenchmarkScan(b *testing.B) {
	const files = 10_000
	s, dir := newSpool(b, spool.Config{})
	crowd(b, dir, files)
	for _, bb := range []struct {
		name string
		scan func() (int, error)
	}{
		{"spool", func() (int, error) {
			w, err := s.Scan(spool.Entry{}, 0)
			return w.Files, err
		}},
		{"spool, small page", func() (int, error) {
			w, err := s.Scan(spool.Entry{}, 100)
			return w.Files, err
		}},
		{"os.ReadDir", func() (int, error) {
			entries, err := os.ReadDir(dir)
			for _, e := range entries {
				if _, err := e.Info(); err != nil {
					return 0, err
				}
			}
			return len(entries), err
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if n, err := bb.scan(); n != files || err != nil {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/files, "ns/file")
		})
	}
}

// rawRead is what must be done at the least: the bare system calls.
func rawRead(dir int, name string, buf []byte) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	n, err := unix.Read(fd, buf[:st.Size])
	return buf[:n], err
}

func BenchmarkRead(b *testing.B) {
	s, dir := lockedSpool(b, spool.Config{})
	files := crowd(b, dir, 100)
	raw, rawDir := lockedSpool(b, spool.Config{Raw: true})
	crowd(b, rawDir, 100)
	at, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(at)
	buf := make([]byte, 64<<10)
	readWith := func(s *spool.Spool, now time.Time) func(name string) (int, error) {
		return func(name string) (int, error) {
			p, err := s.Read(spool.Entry{Name: name}, now, buf)
			return len(p.Data), err
		}
	}
	for _, bb := range []struct {
		name string
		read func(name string) (int, error)
	}{
		{"spool", readWith(s, noon)},
		{"spool, raw", readWith(raw, noon)},
		{"spool, when nobody can be writing any more", readWith(s, noon.Add(time.Hour))},
		{"bare system calls", func(name string) (int, error) {
			data, err := rawRead(at, name, buf)
			return len(data), err
		}},
		{"os.ReadFile", func(name string) (int, error) {
			data, err := os.ReadFile(filepath.Join(dir, name))
			return len(data), err
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for i := 0; b.Loop(); i++ {
				if n, err := bb.read(files[i%len(files)]); n != len(payload) || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkReadRemove takes a payload file through the spool, beside what must be done at the
// least. The files are made outside of the measured time.
func BenchmarkReadRemove(b *testing.B) {
	const batch = 1000
	s, dir := newSpool(b, spool.Config{})
	at, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(at)
	buf := make([]byte, 64<<10)
	for _, bb := range []struct {
		name string
		take func(name string) error
	}{
		{"spool", func(name string) error {
			p, err := s.Read(spool.Entry{Name: name}, noon, buf)
			if err != nil {
				return err
			}
			return s.Remove(p)
		}},
		{"bare system calls", func(name string) error {
			if _, err := rawRead(at, name, buf); err != nil {
				return err
			}
			return unix.Unlinkat(at, name, 0)
		}},
		{"os.ReadFile and os.Remove", func(name string) error {
			if _, err := os.ReadFile(filepath.Join(dir, name)); err != nil {
				return err
			}
			return os.Remove(filepath.Join(dir, name))
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			var files []string
			for i := range b.N {
				if i%batch == 0 {
					b.StopTimer()
					files = crowd(b, dir, min(batch, b.N-i))
					b.StartTimer()
				}
				if err := bb.take(files[i%batch]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
