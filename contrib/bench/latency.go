//go:build linux

package main

import (
	"fmt"
	"io"
	"time"
)

// fixed are the limits that the default is compared with.
func fixed() []string { return []string{"4", "16", "64"} }

// pace measures whether the default number of requests in flight is as good as the best fixed one.
func (b *bench) pace(w io.Writer) error {
	var ratios []ratio
	for _, distance := range []struct {
		latency string
		files   int
		fixed   []string
	}{
		{"0s", b.files, fixed()}, {"2ms", b.files, fixed()[1:]}, {"20ms", b.far, fixed()[1:]}, {"100ms", b.far, fixed()[1:]},
	} {
		l, err := b.startListener("--latency", distance.latency)
		if err != nil {
			return err
		}
		values, rates, err := b.againstFixed(distance.files, distance.fixed, func(files int, flags ...string) (float64, error) {
			if err := l.reset(); err != nil {
				return 0, err
			}
			seconds, err := b.drainInto(l.url, files, flags...)
			if err == nil {
				err = l.expect(files)
			}
			return float64(files) / seconds, err
		})
		l.stop()
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%.0f payloads/s into a listener that takes %s, to the best of %v in flight", summarize(rates).median, distance.latency, distance.fixed)
		ratios = append(ratios, ratio{text: text, spread: summarize(values), limit: 0.85})
		b.progress("a listener that takes %s has been measured", distance.latency)
	}
	fmt.Fprintf(w, "\nThe number of requests in flight that a run finds by itself, medians of %d rounds.\n", b.rounds)
	printRatios(w, ratios)
	return b.crowds(w)
}

// againstFixed measures the rate with the default and with fixed limits, in turns. It returns the
// rates of the default, and their ratios to the best fixed limit of each round.
func (b *bench) againstFixed(files int, fixed []string, rate func(files int, flags ...string) (float64, error)) (ratios, rates []float64, err error) {
	for range b.rounds {
		auto, err := rate(files)
		if err != nil {
			return nil, nil, err
		}
		best := 0.0
		for _, n := range fixed {
			r, err := rate(files, "--concurrency", n)
			if err != nil {
				return nil, nil, err
			}
			best = max(best, r)
		}
		ratios, rates = append(ratios, auto/best), append(rates, auto)
	}
	return ratios, rates, nil
}

// drainInto fills the spool and lets the built binary empty it.
func (b *bench) drainInto(url string, files int, flags ...string) (seconds float64, err error) {
	if err := b.fill(files); err != nil {
		return 0, err
	}
	began := time.Now()
	_, err = b.spoolfwd(url, flags...)
	return time.Since(began).Seconds(), err
}
