//go:build linux

package main

import (
	"fmt"
	"io"
	"time"
)

// What a very large spool may cost.
const (
	mostMemory = 64 << 20
	latestPOST = 3.0 // seconds
	leastRate  = 0.9 // of a small spool's throughput
	firstOnes  = 1000

	largeRuns = 3 // that are compared
)

// scaleResult is what a very large spool shows. The order is that of a drain with
// one request at a time: with more in flight, the listener sees the order in which
// they arrive, which is not that in which they were begun.
type scaleResult struct {
	Machine machine  `json:"machine"`
	Size    int      `json:"size"`
	Small   []bigRun `json:"small"` // as many before and after each large one
	Large   []bigRun `json:"large"` // the last with one request at a time
	Ratio   ratio    `json:"throughput_large_to_small"`
}

// bigRun is one run of the built binary.
type bigRun struct {
	Files       int     `json:"files"`
	Concurrency int     `json:"concurrency"`
	Rate        float64 `json:"payloads_per_second"`
	FirstPOST   float64 `json:"seconds_to_first_post"` // from the start of the process
	Memory      int64   `json:"peak_memory_bytes"`
	Early       int     `json:"places_off_first_1000"`
	Disorder    int     `json:"places_off"`
}

// scaleUp drains very large spools, and small ones around each to compare with: the
// machine is not the same one a minute later.
func (b *bench) scaleUp() (result, error) {
	w, err := newWitness()
	if err != nil {
		return nil, err
	}
	defer w.socket.Close()
	r := &scaleResult{Machine: b.machine, Size: b.size}
	several := func(files, concurrency, times int, into *[]bigRun) {
		for range times {
			if err != nil {
				return
			}
			var one bigRun
			one, err = b.bigRun(w, files, concurrency)
			*into = append(*into, one)
			b.say("%d files have been sent, %d at a time", files, concurrency)
		}
	}
	several(b.files, 4, b.rounds, &r.Small)
	for range largeRuns {
		several(b.scaleFiles, 4, 1, &r.Large)
		several(b.files, 4, b.rounds, &r.Small)
	}
	several(b.scaleFiles, 1, 1, &r.Large)
	if err != nil {
		return nil, err
	}
	var ratios []float64
	for i, large := range r.Large[:largeRuns] {
		var around []float64
		for _, small := range r.Small[i*b.rounds:][:2*b.rounds] {
			around = append(around, small.Rate)
		}
		ratios = append(ratios, large.Rate/summarize(around).Median)
	}
	r.Ratio = ratio{Text: "throughput of the large spool to the small one's", spreadOf: summarize(ratios)}
	r.Ratio.Target = newTarget(leastRate, false, r.Ratio.Median)
	return r, nil
}

// bigRun fills the spool and lets the built binary empty it.
func (b *bench) bigRun(w *witness, files, concurrency int) (bigRun, error) {
	r := bigRun{Files: files, Concurrency: concurrency}
	if err := b.fill(files); err != nil {
		return r, err
	}
	w.expect(files)
	cmd := b.spoolfwd(w.url(), "--concurrency", fmt.Sprint(concurrency))
	began := time.Now()
	peak, err := watched(cmd, cmd.Path)
	if err != nil {
		return r, err
	}
	r.Rate = float64(files) / time.Since(began).Seconds()
	r.FirstPOST = w.first.Sub(began).Seconds()
	r.Memory = peak
	if r.Early, r.Disorder, err = w.disorder(files, firstOnes); err != nil {
		return r, err
	}
	if err := b.expectEmpty(); err != nil {
		return r, err
	}
	return r, b.settle()
}

func (r *scaleResult) markdown(w io.Writer) {
	fmt.Fprintf(w, "%s; files of %d bytes, the built binary, a listener that does next to nothing\n\n", r.Machine, r.Size)
	fmt.Fprintf(w, "| files | concurrency | payloads/s | first POST after | peak memory | places off, first %d | places off, all |\n", firstOnes)
	fmt.Fprint(w, "|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, runs := range [][]bigRun{r.Small, r.Large} {
		for _, run := range runs {
			fmt.Fprintf(w, "| %d | %d | %.0f | %.2f s | %.1f MiB | %d | %d |\n", run.Files, run.Concurrency, run.Rate,
				run.FirstPOST, float64(run.Memory)/(1<<20), run.Early, run.Disorder)
		}
	}
	fmt.Fprintln(w)
	var memory, first float64
	for _, run := range r.Large {
		memory, first = max(memory, float64(run.Memory)/(1<<20)), max(first, run.FirstPOST)
	}
	strict := r.Large[len(r.Large)-1] // one request at a time
	printRatios(w, []ratio{
		r.Ratio,
		single("peak memory of the large spool, MiB", memory, mostMemory>>20),
		single("first POST, seconds", first, latestPOST),
		single("places off the order of age, all files, one at a time", float64(strict.Disorder), 0),
	})
}

// single is a value that was measured once and has an upper limit.
func single(text string, value, limit float64) ratio {
	return ratio{Text: text, spreadOf: summarize([]float64{value}), Target: newTarget(limit, true, value)}
}
