//go:build linux

package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// contender is one way to empty the spool.
type contender struct {
	name  string
	sends bool // into the listener
	run   func(url string) (cpu float64, err error)
}

func (b *bench) contenders() []contender {
	return []contender{
		b.binary("spoolfwd"),
		b.binary("spoolfwd --concurrency 1", "--concurrency", "1"),
		b.binary("spoolfwd --concurrency 4", "--concurrency", "4"),
		b.binary("spoolfwd --batch-items 100", "--batch-items", "100"),
		b.loop(1), b.loop(4), b.loop(16),
		here("HTTP by hand x4", true, func(url string) error { return b.byHand(url, 4) }),
		here("file system alone", false, func(string) error { return b.fileSystemAlone() }),
	}
}

// binary is the built spoolfwd.
func (b *bench) binary(name string, flags ...string) contender {
	return contender{name: name, sends: true, run: func(url string) (float64, error) { return b.spoolfwd(url, flags...) }}
}

// loop is the loop with net/http.
func (b *bench) loop(n int) contender {
	return here(fmt.Sprintf("net/http loop x%d", n), true, func(url string) error { return b.netHTTP(url, n) })
}

// here is a contender in this process.
func here(name string, sends bool, run func(url string) error) contender {
	return contender{name: name, sends: sends, run: func(url string) (float64, error) { return inProcess(func() error { return run(url) }) }}
}

// spoolfwd lets the built binary empty the spool.
func (b *bench) spoolfwd(url string, flags ...string) (cpu float64, err error) {
	cmd := b.command(url, flags...)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		return 0, fmt.Errorf("spoolfwd: %w\n%s", err, out)
	}
	return cpuOf(cmd), nil
}

// inProcess returns what do has used of the processors, in seconds.
func inProcess(do func() error) (cpu float64, err error) {
	before := cpuTime()
	err = do()
	return cpuTime() - before, err
}

func cpuTime() float64 {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u) // cannot fail: getrusage(2)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// netHTTP is the loop that one would write with net/http: the names in the order of os.ReadDir,
// each file read, posted and removed. It has what such a loop must not forget: an idle connection
// for each goroutine, and a body that is read to its end. It needs no timeouts, order by age,
// checks or breaker.
func (b *bench) netHTTP(url string, concurrency int) error {
	entries, err := os.ReadDir(b.spool)
	if err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: concurrency, TLSClientConfig: &tls.Config{RootCAs: b.trusted}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	return share(concurrency, len(entries), func() (func(i int) error, error) {
		return func(i int) error { return postFile(client, url, filepath.Join(b.spool, entries[i].Name())) }, nil
	})
}

func postFile(client *http.Client, url, file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	answer, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", file, answer.StatusCode)
	}
	return os.Remove(file)
}

// fileSystemAlone reads and removes the payload files, and syncs the directory at the end as a run
// does: the rest when sending costs nothing.
func (b *bench) fileSystemAlone() error {
	entries, dir, err := b.list()
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	buffer := make([]byte, b.size+1)
	for _, e := range entries {
		if _, err := readAt(dir, e.Name(), buffer); err != nil {
			return err
		}
		if err := unix.Unlinkat(dir, e.Name(), 0); err != nil {
			return err
		}
	}
	return unix.Fsync(dir)
}

// readAt reads a file of known size with the calls that a run makes: open, fstat, read, close.
func readAt(dir int, name string, buffer []byte) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	n, err := unix.Read(fd, buffer)
	if err == nil && n == len(buffer) {
		err = errors.New("larger than it should be")
	}
	return buffer[:max(n, 0)], err
}

// share lets several goroutines do n things in order, and returns the first error. Each goroutine
// calls prepare first.
func share(goroutines, n int, prepare func() (do func(i int) error, err error)) error {
	var (
		wg    sync.WaitGroup
		next  atomic.Int64
		once  sync.Once
		first error
	)
	for range goroutines {
		wg.Go(func() {
			do, err := prepare()
			for i := next.Add(1) - 1; err == nil && i < int64(n); i = next.Add(1) - 1 {
				err = do(int(i))
			}
			if err != nil {
				once.Do(func() { first = err })
				next.Store(int64(n)) // the others begin nothing more
			}
		})
	}
	wg.Wait()
	return first
}
