//go:build linux

package main

import (
	"fmt"
	"io"
	"time"
)

const (
	latency      = "20ms"
	mostInFlight = 16
)

// slowListener measures how throughput grows with the requests in flight, up to mostInFlight. A run
// begins with one request and doubles, so its first round trips are not full: with few files that
// shows.
func (b *bench) slowListener(w io.Writer) error {
	l, err := b.startListener("--latency", latency)
	if err != nil {
		return err
	}
	defer l.stop()
	fmt.Fprintf(w, "\nA listener that takes %s, %d round trips.\n\n| in flight | payloads/s | off linear |\n|--:|--:|--:|\n", latency, b.trips)
	one := 0.0 // rate with one in flight
	for n := 1; n <= mostInFlight; n *= 2 {
		files := n * b.trips
		if err := b.fill(files); err != nil {
			return err
		}
		if err := l.reset(); err != nil {
			return err
		}
		began := time.Now()
		if _, err := b.spoolfwd(l.url, "--concurrency", fmt.Sprint(n)); err != nil {
			return err
		}
		rate := float64(files) / time.Since(began).Seconds()
		if err := l.expect(files); err != nil {
			return err
		}
		if n == 1 {
			one = rate
		}
		fmt.Fprintf(w, "| %d | %.0f | %+.1f %% |\n", n, rate, 100*(rate/(float64(n)*one)-1))
	}
	return nil
}
