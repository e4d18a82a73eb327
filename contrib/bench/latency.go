//go:build linux

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"
)

// fixed are the limits that the default is compared with.
func fixed() []string { return []string{"64", "48", "32", "16", "8", "4", "2", "1"} }

// pace measures whether the default number of requests in flight is as good as the best fixed one.
func (b *bench) pace(w io.Writer) error {
	var ratios []ratio
	for _, latency := range []string{"0s", "2ms", "20ms", "100ms"} {
		l, err := b.startListener("--latency", latency)
		if err != nil {
			return err
		}
		against, err := b.againstFixed(fixed(), func(flags ...string) (float64, error) {
			if err := l.reset(); err != nil {
				return 0, err
			}
			seconds, err := b.drainInto(l.url, flags...)
			if err == nil {
				err = l.expect(b.far)
			}
			return float64(b.far) / seconds, err
		})
		l.stop()
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%.0f payloads/s into a listener that takes %s, to those with %s in flight, which are the best of 1 to 64",
			summarize(against.rates).median, latency, against.best)
		ratios = append(ratios, ratio{text: text, spread: summarize(against.ratios), limit: 0.85})
		b.progress("a listener that takes %s has been measured", latency)
	}
	fmt.Fprintf(w, "\nThe number of requests in flight that a run of %d payloads finds by itself, medians of %d rounds.\n", b.far, b.rounds)
	printRatios(w, ratios)
	return b.crowds(w)
}

// comparedWithFixed is what became of the default in turns with fixed limits.
type comparedWithFixed struct {
	rates  []float64 // with the default
	best   string    // the fixed limit with the highest median; "": all were too slow
	ratios []float64 // of the rates to those with it, in the same round
}

const (
	exitLimit = 75 // a limit ended the run
	tooSlow   = 2  // times the best one's time: too far from it to be the best in another round
	leastTime = 2 * time.Second
)

// againstFixed measures the rate with the default and with fixed limits, in turns. A limit whose
// run is much slower than the best of its round is left out from then on.
func (b *bench) againstFixed(fixed []string, rate func(flags ...string) (float64, error)) (a comparedWithFixed, err error) {
	rates := make(map[string][]float64)
	for range b.rounds {
		auto, err := rate()
		if err != nil {
			return a, err
		}
		a.rates = append(a.rates, auto)
		fastest := auto
		var left []string
		for _, n := range fixed {
			enough := max(leastTime, time.Duration(tooSlow*float64(b.far)/fastest*1e9))
			r, err := rate("--concurrency", n, "--max-runtime", enough.String())
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() == exitLimit {
				if err := b.clear(); err != nil {
					return a, err
				}
				continue
			}
			if err != nil {
				return a, err
			}
			rates[n] = append(rates[n], r)
			left = append(left, n)
			fastest = max(fastest, r)
		}
		fixed = left
	}
	if len(fixed) == 0 {
		return a, nil
	}
	a.best = slices.MaxFunc(fixed, func(n, m string) int {
		return cmp.Compare(summarize(rates[n]).median, summarize(rates[m]).median)
	})
	for i, r := range rates[a.best] {
		a.ratios = append(a.ratios, a.rates[i]/r)
	}
	return a, nil
}

// drainInto fills the spool and lets the built binary empty it.
func (b *bench) drainInto(url string, flags ...string) (seconds float64, err error) {
	if err := b.fill(b.far); err != nil {
		return 0, err
	}
	began := time.Now()
	_, err = b.spoolfwd(url, flags...)
	return time.Since(began).Seconds(), err
}
