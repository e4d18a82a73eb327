//go:build linux

package main

import (
	"fmt"
	"io"
	"runtime"
	"time"
)

// turn is what was measured of one contender in one round.
type turn struct{ seconds, cpu float64 }

// race compares the contenders, over http and then over https.
func (b *bench) race(w io.Writer) error {
	l, err := b.startListener()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s; %d files of %d bytes, fakelistener on loopback, medians of %d rounds\n\n", b.machine(), b.files, b.size, b.rounds)
	if err := b.rounded(w, b.contenders(), comparisons(), l); err != nil {
		return err
	}
	l.stop()
	if err := b.secure(w); err != nil {
		return err
	}
	if b.far > 0 {
		return b.pace(w)
	}
	return nil
}

// rounded lets contenders take turns in all rounds, and prints a table of them and their ratios.
func (b *bench) rounded(w io.Writer, all []contender, comparisons []comparison, l *listener) error {
	turns := make(map[string][]turn)
	for round := range b.rounds {
		for i := range all {
			c := all[(i+round)%len(all)]
			t, err := b.turn(c, l)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			turns[c.name] = append(turns[c.name], t)
		}
		b.progress("round %d of %d is over", round+1, b.rounds)
	}
	fmt.Fprint(w, "| contender | payloads/s | lowest to highest | CPU us/payload |\n|---|--:|--:|--:|\n")
	for _, c := range all {
		var rate, cpu []float64
		for _, t := range turns[c.name] {
			rate, cpu = append(rate, float64(b.files)/t.seconds), append(cpu, t.cpu*1e6/float64(b.files))
		}
		r := summarize(rate)
		fmt.Fprintf(w, "| %s | %.0f | %.0f to %.0f | %.1f |\n", c.name, r.median, r.lowest, r.highest, summarize(cpu).median)
	}
	printRatios(w, compare(comparisons, turns))
	return nil
}

// turn fills the spool, lets a contender empty it, and checks that it did.
func (b *bench) turn(c contender, l *listener) (t turn, err error) {
	if err := b.fill(b.files); err != nil {
		return t, err
	}
	if err := l.reset(); err != nil {
		return t, err
	}
	runtime.GC() // a contender does not pay for the garbage of those before it
	began := time.Now()
	t.cpu, err = c.run(l.url)
	t.seconds = time.Since(began).Seconds()
	if err == nil && c.sends {
		err = l.expect(b.files)
	}
	if err == nil {
		err = b.expectEmpty()
	}
	if err == nil {
		err = b.syncDisk()
	}
	return t, err
}

// comparison is one ratio of two contenders, and what it should be.
type comparison struct {
	text        string
	over, under string // contenders
	cpu         bool   // CPU per payload, where less is better, instead of payloads per second
	want        float64
}

func comparisons() []comparison {
	return []comparison{
		{text: "one POST for each item, to the net/http loop x16", over: "spoolfwd", under: "net/http loop x16", want: 1.2},
		{text: "one POST for each item, to HTTP by hand x4", over: "spoolfwd", under: "HTTP by hand x4", want: 0.75},
		{text: "one request in flight, to the net/http loop x1", over: "spoolfwd --concurrency 1", under: "net/http loop x1", want: 1},
		{text: "batches of 100, to one POST for each item with 4 in flight", over: "spoolfwd --batch-items 100", under: "spoolfwd --concurrency 4", want: 2.5},
		{text: "batches of 100, to the file system alone", over: "spoolfwd --batch-items 100", under: "file system alone", want: 0.6},
		{text: "CPU per payload with 4 in flight, to the net/http loop x4", over: "spoolfwd --concurrency 4", under: "net/http loop x4", cpu: true, want: 0.8},
		{text: "CPU per payload with 1 in flight, to the net/http loop x1", over: "spoolfwd --concurrency 1", under: "net/http loop x1", cpu: true, want: 0.8},
		{text: "CPU per payload with 4 in flight, to HTTP by hand x4", over: "spoolfwd --concurrency 4", under: "HTTP by hand x4", cpu: true},
	}
}

// compare forms each ratio within its round: what slowed a round down slowed both sides of it.
func compare(comparisons []comparison, turns map[string][]turn) (all []ratio) {
	for _, c := range comparisons {
		var values []float64
		for round, over := range turns[c.over] {
			under := turns[c.under][round]
			if c.cpu {
				values = append(values, over.cpu/under.cpu)
			} else {
				values = append(values, under.seconds/over.seconds)
			}
		}
		all = append(all, ratio{text: c.text, spread: summarize(values), limit: c.want, atMost: c.cpu})
	}
	return all
}
