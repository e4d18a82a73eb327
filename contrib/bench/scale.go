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

// bigRun is one run of the built binary.
type bigRun struct {
	files     int
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
	fmt.Fprintf(w, "%s; files of %d bytes, a net/http server that records the order\n\n", b.machine(), b.size)
	fmt.Fprint(w, "| files | flags | payloads/s | CPU us/payload | first POST after | peak memory | places off |\n|--:|---|--:|--:|--:|--:|--:|\n")
	run := func(files int, flags ...string) (r bigRun) {
		if err == nil {
			r, err = b.bigRun(l, files, flags...)
		}
		if err == nil {
			fmt.Fprintf(w, "| %d | %v | %.0f | %.1f | %.2f s | %.1f MiB | %d |\n", r.files, flags, r.rate, r.cpu*1e6, r.firstPOST, r.memory, r.disorder)
		}
		return r
	}
	var rates, cpus, memory, first []float64
	before := run(b.files)
	for range largeRuns {
		large, after := run(b.scaleFiles), run(b.files)
		rates = append(rates, 2*large.rate/(before.rate+after.rate))
		cpus = append(cpus, 2*large.cpu/(before.cpu+after.cpu))
		memory, first = append(memory, large.memory), append(first, large.firstPOST)
		before = after
	}
	strict := run(b.scaleFiles, "--concurrency", "1")
	if err != nil {
		return err
	}
	printRatios(w, []ratio{
		{text: "throughput of the large spool, to the small one", spread: summarize(rates), limit: leastRate},
		{text: "CPU per payload of the large spool, to the small one", spread: summarize(cpus), limit: 1 / leastRate, atMost: true},
		{text: "peak memory of the large spool, MiB", spread: summarize(memory), limit: mostMemory, atMost: true},
		{text: "first POST, seconds", spread: summarize(first), limit: latestPOST, atMost: true},
	})
	fmt.Fprintf(w, "\nWith one request in flight, no payload of %d was more than %d places off the order of age.\n", strict.files, strict.disorder)
	return nil
}

// bigRun fills the spool and lets the built binary empty it.
func (b *bench) bigRun(l *orderRecorder, files int, flags ...string) (bigRun, error) {
	r := bigRun{files: files}
	if err := b.fill(files); err != nil {
		return r, err
	}
	l.expect(files)
	cmd := b.command(l.url(), flags...)
	began := time.Now()
	memory, err := runAndWatch(cmd, cmd.Path)
	if err != nil {
		return r, err
	}
	r.rate = float64(files) / time.Since(began).Seconds()
	r.cpu = cpuOf(cmd) / float64(files)
	r.firstPOST = l.first.Sub(began).Seconds()
	r.memory = float64(memory) / (1 << 20)
	if r.disorder, err = l.disorder(files); err != nil {
		return r, err
	}
	if err := b.expectEmpty(); err != nil {
		return r, err
	}
	b.progress("%d files have been sent", files)
	return r, b.syncDisk()
}

// cpuOf is what a process has used of the processors, in seconds.
func cpuOf(cmd *exec.Cmd) float64 {
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
}
