//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// secure measures what TLS costs: in a race like that over http, and in runs of one payload, as a
// timer starts them every minute.
func (b *bench) secure(w io.Writer) error {
	file, err := b.certificate("ECDSA P-256")
	if err != nil {
		return err
	}
	l, err := b.startListener("--tls-cert", file, "--tls-key", file)
	if err != nil {
		return err
	}
	fmt.Fprint(w, "\nThe same over https, a certificate of ECDSA P-256.\n\n")
	err = b.rounded(w, []contender{
		b.binary("spoolfwd", "--ca-file", file),
		b.binary("spoolfwd --concurrency 1", "--ca-file", file, "--concurrency", "1"),
		b.loop(1), b.loop(16),
	}, []comparison{
		{text: "one POST for each item over TLS, to the net/http loop x16", over: "spoolfwd", under: "net/http loop x16", want: 1.2},
		{text: "one request in flight over TLS, to the net/http loop x1", over: "spoolfwd --concurrency 1", under: "net/http loop x1", want: 1},
		{text: "CPU per payload over TLS with 1 in flight, to the net/http loop x1", over: "spoolfwd --concurrency 1", under: "net/http loop x1", cpu: true, want: 0.8},
	}, l)
	l.stop()
	if err != nil {
		return err
	}
	return b.handshakes(w)
}

// handshakes compares runs that resume the TLS session of the run before with runs that make a
// whole handshake, by what they cost the listener.
func (b *bench) handshakes(w io.Writer) error {
	fmt.Fprintf(w, "\nRuns of one payload over TLS, medians of %d rounds with %d of each kind, which take turns.\n\n", b.rounds, b.alone)
	fmt.Fprint(w, "| certificate | handshake | listener, CPU us/run | spoolfwd, CPU us/run |\n|---|---|--:|--:|\n")
	var ratios []ratio
	for _, c := range []struct {
		certificate string
		want        float64
	}{{"ECDSA P-256", 1}, {"RSA 2048", 0.6}} {
		var resumed, whole cost
		var values []float64
		for range b.rounds {
			r, h, err := b.inTurns(c.certificate)
			if err != nil {
				return err
			}
			resumed.add(r)
			whole.add(h)
			values = append(values, summarize(r.listener).median/summarize(h.listener).median)
		}
		resumed.print(w, c.certificate, "resumed")
		whole.print(w, c.certificate, "whole")
		text := "CPU of the listener for a run that resumes, to a whole handshake, " + c.certificate
		ratios = append(ratios, ratio{text: text, spread: summarize(values), limit: c.want, atMost: true})
		b.progress("handshakes with a certificate of %s have been measured", c.certificate)
	}
	printRatios(w, ratios)
	return nil
}

// cost is what runs of one kind have used of the processors, in seconds.
type cost struct{ listener, run []float64 }

func (c *cost) add(more cost) {
	c.listener, c.run = append(c.listener, more.listener...), append(c.run, more.run...)
}

func (c *cost) print(w io.Writer, certificate, handshake string) {
	fmt.Fprintf(w, "| %s | %s | %.0f | %.0f |\n", certificate, handshake, summarize(c.listener).median*1e6, summarize(c.run).median*1e6)
}

// inTurns lets runs that resume and runs that do not take turns at a new listener.
func (b *bench) inTurns(certificate string) (resumed, whole cost, err error) {
	file, err := b.certificate(certificate)
	if err != nil {
		return resumed, whole, err
	}
	l, err := b.startListener("--tls-cert", file, "--tls-key", file)
	if err != nil {
		return resumed, whole, err
	}
	defer l.stop()
	if _, err := b.runAlone(l, "--ca-file", file); err != nil { // it has nothing to resume
		return resumed, whole, err
	}
	for range b.alone {
		r, err := b.runAlone(l, "--ca-file", file)
		if err != nil {
			return resumed, whole, err
		}
		resumed.add(r)
		// Under another name it leaves the session of the others alone.
		h, err := b.runAlone(l, "--ca-file", file, "--name", "without", "--tls-resume=false")
		if err != nil {
			return resumed, whole, err
		}
		whole.add(h)
	}
	return resumed, whole, l.expectResumed(b.alone)
}

// runAlone is one run with one payload.
func (b *bench) runAlone(l *listener, flags ...string) (cost, error) {
	if err := b.fill(1); err != nil {
		return cost{}, err
	}
	before, err := cpuSoFar(l.cmd.Process.Pid)
	if err != nil {
		return cost{}, err
	}
	run, err := b.spoolfwd(l.url, flags...)
	if err != nil {
		return cost{}, err
	}
	after, err := cpuSoFar(l.cmd.Process.Pid)
	return cost{[]float64{after - before}, []float64{run}}, err
}

// cpuSoFar is what the threads of a process have used of the processors, in seconds. getrusage(2)
// tells it only of a child that has ended.
func cpuSoFar(pid int) (seconds float64, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("this system does not tell the processor time of threads: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(text), " ")
		nanoseconds, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		seconds += float64(nanoseconds) / 1e9
	}
	return seconds, nil
}
