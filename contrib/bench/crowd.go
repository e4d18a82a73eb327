//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"
)

// crowd is a listener that does not take any number of requests at once.
type crowd struct {
	name   string
	answer func(inFlight int) (status int)
	socket net.Listener

	mu       sync.Mutex
	inFlight int
	most     int // in flight since the last reset
	refused  int
}

const work = 10 * time.Millisecond

func newCrowds() []*crowd {
	workers := make(chan bool, 8)
	return []*crowd{
		{name: "8 workers of 10 ms", answer: func(int) int {
			workers <- true
			time.Sleep(work)
			<-workers
			return http.StatusOK
		}},
		{name: "10 ms, and 20 ms above 16 in flight", answer: func(inFlight int) int {
			time.Sleep(work)
			if inFlight > 16 {
				time.Sleep(work)
			}
			return http.StatusOK
		}},
		{name: "10 ms, and 503 above 16 in flight", answer: func(inFlight int) int {
			if inFlight > 16 {
				return http.StatusServiceUnavailable
			}
			time.Sleep(work)
			return http.StatusOK
		}},
	}
}

func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	c.mu.Lock()
	c.inFlight++
	inFlight := c.inFlight
	c.most = max(c.most, inFlight)
	c.mu.Unlock()
	status := c.answer(inFlight)
	c.mu.Lock()
	c.inFlight--
	if status != http.StatusOK {
		c.refused++
	}
	c.mu.Unlock()
	w.WriteHeader(status)
}

func (c *crowd) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most, c.refused = 0, 0
}

// crowds compares the default with 16 requests in flight, at listeners that do not take more.
func (b *bench) crowds(w io.Writer) error {
	fmt.Fprint(w, "\n| listener | payloads/s | to 16 in flight | in flight at most | refused at most |\n|---|--:|--:|--:|--:|\n")
	for _, c := range newCrowds() {
		var err error
		if c.socket, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		go http.Serve(c.socket, c)
		most, refused := 0, 0
		against, err := b.againstFixed([]string{"16"}, func(flags ...string) (float64, error) {
			c.reset()
			rate, err := b.drainCrowd(c, flags...)
			if len(flags) == 0 {
				most, refused = max(most, c.most), max(refused, c.refused)
			}
			return rate, err
		})
		c.socket.Close()
		if err != nil {
			return fmt.Errorf("a listener of %s: %w", c.name, err)
		}
		fmt.Fprintf(w, "| %s | %.0f | %.2f | %d | %d |\n", c.name, summarize(against.rates).median, summarize(against.ratios).median, most, refused)
	}
	return nil
}

// drainCrowd is drainInto for a listener that may refuse some. They stay in the spool; others stay
// only if the breaker opened, which is an error.
func (b *bench) drainCrowd(c *crowd, flags ...string) (rate float64, err error) {
	seconds, err := b.drainInto("http://"+c.socket.Addr().String(), flags...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 69 && c.refused > 0 {
		err = nil
	}
	if err != nil {
		return 0, err
	}
	left, err := b.left()
	if err == nil && len(left) != c.refused {
		err = fmt.Errorf("%d files are left, and %d were refused", len(left), c.refused)
	}
	if err == nil {
		err = b.clear()
	}
	return float64(b.far-c.refused) / seconds, err
}

// clear makes spool and state new.
func (b *bench) clear() error {
	var problems []error
	for _, dir := range []string{b.spool, b.state} {
		problems = append(problems, os.RemoveAll(dir), os.Mkdir(dir, 0o700))
	}
	return errors.Join(problems...)
}
