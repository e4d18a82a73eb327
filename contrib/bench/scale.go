//go:build linux

package main

import (
	"fmt"
	"io"
	"os/exec"
	"time"
)

// Targets for a very large spool.
const (
	mostMemory = 64  // MiB
	latestPOST = 3   // seconds
	leastRate  = 0.9 // of a small spool's throughput
	largeRuns  = 3   // beside the one with one request in flight
)

// Array files: one of the largest default size with the smallest items, and many like those of the
// PHP producer.
const (
	largeArray = 131_072               // items
	smallItem  = 16<<20/largeArray - 2 // and commas and brackets
	perArray   = 100                   // items
)

// bigRun is one run of the built binary.
type bigRun struct {
	spool     string
	payloads  int
	rate      float64 // payloads per second
	cpu       float64 // seconds per payload
	firstPOST float64 // seconds from the start of the process
	memory    float64 // at the peak, MiB
	disorder  int     // places that a payload is off the order of age, at most
}

// scaleUp drains very large spools, and small ones before and after each to compare with. The order
// is checked with one request in flight: with more, the listener sees the order in which requests
// arrive, which is not the order in which they were begun.
func (b *bench) scaleUp(w io.Writer) error {
	l, err := newOrderRecorder()
	if err != nil {
		return err
	}
	defer l.close()
	fmt.Fprintf(w, "%s; payloads of %d bytes, a net/http server that records the order\n\n", b.machine(), b.size)
	fmt.Fprint(w, "| spool | flags | payloads/s | CPU us/payload | first POST after | peak memory | places off |\n|---|---|--:|--:|--:|--:|--:|\n")
	run := func(fill stock, flags ...string) (r bigRun) {
		if err == nil {
			r, err = b.bigRun(l, fill, flags...)
		}
		if err == nil {
			fmt.Fprintf(w, "| %s | %v | %.0f | %.1f | %.2f s | %.1f MiB | %d |\n", r.spool, flags, r.rate, r.cpu*1e6, r.firstPOST, r.memory, r.disorder)
		}
		return r
	}
	small, huge := b.singles(b.files), b.singles(b.scaleFiles)
	before := run(small)
	var ratios []ratio
	for _, large := range []stock{huge, b.arrays(1, largeArray, smallItem), b.arrays(b.scaleFiles/perArray, perArray, b.size)} {
		var rates, cpus, memory, first []float64
		for range largeRuns {
			r, after := run(large), run(small)
			rates = append(rates, 2*r.rate/(before.rate+after.rate))
			cpus = append(cpus, 2*r.cpu/(before.cpu+after.cpu))
			memory, first = append(memory, r.memory), append(first, r.firstPOST)
			before = after
		}
		ratios = append(ratios,
			ratio{text: large.text + ": throughput, to the small spool", spread: summarize(rates), limit: leastRate},
			ratio{text: large.text + ": CPU per payload, to the small spool", spread: summarize(cpus), limit: 1 / leastRate, atMost: true},
			ratio{text: large.text + ": peak memory, MiB", spread: summarize(memory), limit: mostMemory, atMost: true},
			ratio{text: large.text + ": first POST, seconds", spread: summarize(first), limit: latestPOST, atMost: true})
	}
	strict := run(huge, "--concurrency", "1")
	if err != nil {
		return err
	}
	printRatios(w, ratios)
	fmt.Fprintf(w, "\nWith one request in flight, no payload of %d was more than %d places off the order of age.\n", strict.payloads, strict.disorder)
	return nil
}

// A stock is what a spool is filled with.
type stock struct {
	text     string
	payloads int
	fill     func() error
}

func (b *bench) singles(n int) stock {
	return stock{fmt.Sprintf("%d files", n), n, func() error { return b.fill(n) }}
}

func (b *bench) arrays(n, items, size int) stock {
	return stock{fmt.Sprintf("%d x %d items of %d bytes in array files", n, items, size), n * items,
		func() error { return b.fillArrays(n, items, size) }}
}

// bigRun fills the spool and lets the built binary empty it.
func (b *bench) bigRun(l *orderRecorder, s stock, flags ...string) (bigRun, error) {
	r := bigRun{spool: s.text, payloads: s.payloads}
	if err := s.fill(); err != nil {
		return r, err
	}
	l.expect(s.payloads)
	cmd := b.command(l.url(), flags...)
	began := time.Now()
	memory, err := runAndWatch(cmd, cmd.Path)
	if err != nil {
		return r, err
	}
	r.rate = float64(s.payloads) / time.Since(began).Seconds()
	r.cpu = cpuOf(cmd) / float64(s.payloads)
	r.firstPOST = l.first.Sub(began).Seconds()
	r.memory = float64(memory) / (1 << 20)
	if r.disorder, err = l.disorder(s.payloads); err != nil {
		return r, err
	}
	if err := b.expectEmpty(); err != nil {
		return r, err
	}
	b.progress("%s have been sent", s.text)
	return r, b.syncDisk()
}

// cpuOf is what a process has used of the processors, in seconds.
func cpuOf(cmd *exec.Cmd) float64 {
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
}
