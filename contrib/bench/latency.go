//go:build linux

package main

import (
	"fmt"
	"io"
)

const (
	latency        = "20ms"
	shortDrain     = 400 // files
	mostConcurrent = 16
	slowRounds     = 3   // at most
	mostOff        = 0.1 // of linear
)

// slowDrain is how a listener that takes its time was drained into at one
// concurrency. A drain begins with one request at a time and doubles, so its first few
// round trips are not full; how much that is depends on how many there are. Long has
// the same number of round trips at every concurrency, Short the same number of files.
type slowDrain struct {
	Concurrency int       `json:"concurrency"`
	Long        slowSpeed `json:"same_round_trips"`
	Short       slowSpeed `json:"same_files"`
	Reached     bool      `json:"reached"`
}

// slowSpeed is a throughput, and how far it is from N times that of one request at a
// time in the same round: -0.05 is 5 % less.
type slowSpeed struct {
	Rate spreadOf `json:"payloads_per_second"`
	Off  spreadOf `json:"deviation_from_linear"`
}

// slowListener measures how throughput grows with the number of requests in flight.
func (b *bench) slowListener() ([]slowDrain, error) {
	l, err := b.startListener("--latency", latency)
	if err != nil {
		return nil, err
	}
	defer l.stop()
	type measured struct{ long, short float64 }
	rounds := make(map[int][]measured) // by concurrency
	for range min(b.rounds, slowRounds) {
		for n := 1; n <= mostConcurrent; n *= 2 {
			var m measured
			if m.long, err = b.slowly(l, n, n*b.trips); err != nil {
				return nil, err
			}
			if m.short, err = b.slowly(l, n, shortDrain); err != nil {
				return nil, err
			}
			rounds[n] = append(rounds[n], m)
		}
		b.say("the listener that takes %s has been met with 1 to %d requests at a time", latency, mostConcurrent)
	}
	var all []slowDrain
	for n := 1; n <= mostConcurrent; n *= 2 {
		var long, longOff, short, shortOff []float64
		for i, m := range rounds[n] {
			one := rounds[1][i]
			long, short = append(long, m.long), append(short, m.short)
			longOff = append(longOff, m.long/(float64(n)*one.long)-1)
			shortOff = append(shortOff, m.short/(float64(n)*one.short)-1)
		}
		d := slowDrain{Concurrency: n}
		d.Long = slowSpeed{summarize(long), summarize(longOff)}
		d.Short = slowSpeed{summarize(short), summarize(shortOff)}
		d.Reached = d.Long.Off.Median >= -mostOff
		all = append(all, d)
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

func printLatency(w io.Writer, all []slowDrain, trips int) {
	fmt.Fprintf(w, "A listener that takes %s; target: within %.0f %% of linear.\n\n", latency, 100*mostOff)
	fmt.Fprintf(w, "| concurrency | payloads/s, %d round trips | off linear | | payloads/s, %d files | off linear |\n|--:|--:|--:|---|--:|--:|\n",
		trips, shortDrain)
	for _, d := range all {
		verdict := "missed"
		if d.Reached {
			verdict = "reached"
		}
		fmt.Fprintf(w, "| %d | %.0f | %+.1f %% | %s | %.0f | %+.1f %% |\n", d.Concurrency,
			d.Long.Rate.Median, 100*d.Long.Off.Median, verdict, d.Short.Rate.Median, 100*d.Short.Off.Median)
	}
}
