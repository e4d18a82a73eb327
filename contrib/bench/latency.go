//go:build linux

package main

import (
	"fmt"
	"io"
)

const (
	latency        = "20ms"
	shortDrain     = 400 // files in the short measurement
	mostConcurrent = 16  // the highest concurrency
)

// slowDrain is a drain into a listener that takes its time. A drain begins with one
// request at a time and doubles, so the first few round trips are not full; how much
// that is depends on how many there are. Long has the same number of round trips at
// every concurrency, Short the same number of files.
type slowDrain struct {
	Concurrency int     `json:"concurrency"`
	Long        float64 `json:"payloads_per_second"`
	LongOff     float64 `json:"deviation_from_linear"` // -0.05: 5 % less than N times the speed at 1
	Short       float64 `json:"payloads_per_second_400_files"`
	ShortOff    float64 `json:"deviation_from_linear_400_files"`
	Trips       int     `json:"round_trips"`
	Reached     bool    `json:"reached"`
}

// slowListener measures how throughput grows with the number of requests in flight.
func (b *bench) slowListener() ([]slowDrain, error) {
	l, err := b.startListener("--latency", latency)
	if err != nil {
		return nil, err
	}
	defer l.stop()
	var all []slowDrain
	for n := 1; n <= mostConcurrent; n *= 2 {
		d := slowDrain{Concurrency: n, Trips: b.trips}
		if d.Long, err = b.slowly(l, n, n*b.trips); err != nil {
			return nil, err
		}
		if d.Short, err = b.slowly(l, n, shortDrain); err != nil {
			return nil, err
		}
		one := d
		if n > 1 {
			one = all[0]
		}
		d.LongOff = d.Long/(float64(n)*one.Long) - 1
		d.ShortOff = d.Short/(float64(n)*one.Short) - 1
		d.Reached = d.LongOff >= -0.1
		all = append(all, d)
		b.say("the listener that takes %s has been met with %d requests at a time", latency, n)
	}
	return all, nil
}

// slowly returns the payloads per second of one drain.
func (b *bench) slowly(l *listener, concurrency, files int) (float64, error) {
	if err := b.fill(files); err != nil {
		return 0, err
	}
	if err := l.reset(); err != nil {
		return 0, err
	}
	t, err := timed(func() error { return b.ours(l.url, concurrency, 1) })
	if err == nil {
		err = l.expect(files, files)
	}
	return float64(files) / t.Seconds, err
}

func printLatency(w io.Writer, all []slowDrain) {
	fmt.Fprintf(w, "A listener that takes %s; target: within 10 %% of linear.\n\n", latency)
	fmt.Fprintf(w, "| concurrency | payloads/s, %d round trips | off linear | | payloads/s, %d files | off linear |\n|--:|--:|--:|---|--:|--:|\n",
		all[0].Trips, shortDrain)
	for _, d := range all {
		verdict := "missed"
		if d.Reached {
			verdict = "reached"
		}
		fmt.Fprintf(w, "| %d | %.0f | %+.1f %% | %s | %.0f | %+.1f %% |\n",
			d.Concurrency, d.Long, 100*d.LongOff, verdict, d.Short, 100*d.ShortOff)
	}
}
