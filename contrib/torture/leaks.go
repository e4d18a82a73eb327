//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// leaks lets one run send ten thousand payloads and counts its descriptors,
// threads and memory meanwhile: none may grow with the number of payloads.
// Goroutines, which cannot be seen from outside, are watched by the packages'
// own tests.
func leaks(t *torture, r *result) {
	for _, closing := range []bool{false, true} {
		t.guard(r, func() { t.leakRound(r, closing) })
	}
}

// census is one look at a process.
type census struct {
	descriptors, threads int
	memory               int64
}

func (t *torture) leakRound(r *result, closing bool) {
	const payloads = 10_000
	name := "kept connections"
	if closing {
		name = "a new connection each"
	}
	w := t.newWorld("")
	defer w.end()
	for i := range payloads {
		switch {
		case i%20 == 7: // every kind of end that a payload has
			w.object(fmt.Sprintf("r%05d.json", i), does(i, "400"))
		case i%20 == 13:
			w.array(fmt.Sprintf("a%05d.json", i), does(i, "200"), does(payloads+i, "500"))
		default:
			w.object(fmt.Sprintf("o%05d.json", i), does(i, "200"))
		}
	}
	w.endpoint.answers(func(body string) answer {
		a := obliging(body)
		a.close = closing
		return a
	})
	p, err := w.spoolfwd("run", "--failure-threshold", "5").start()
	w.must(err)
	w.requests(200) // everything is warm
	var all []census
	for n := 0; n < payloads; {
		n = w.endpoint.count()
		c, ok := countOf(p.cmd.Process.Pid)
		if !ok {
			break
		}
		all = append(all, c)
		time.Sleep(5 * time.Millisecond)
	}
	o := p.wait()
	r.round(0)
	w.check(r, "leaks", o)
	if len(all) < 20 {
		r.fail("%s: only %d looks at the process\n%s", name, len(all), o.tell())
		return
	}
	early, late := most(all[:len(all)/4]), most(all[len(all)*3/4:])
	r.note("%s: %d descriptors, %d threads, %d MiB after a quarter; %d, %d, %d at the end (%d looks)", name,
		early.descriptors, early.threads, early.memory>>20, late.descriptors, late.threads, late.memory>>20, len(all))
	if late.descriptors > early.descriptors+4 || late.descriptors > 40 {
		r.fail("%s: descriptors leak: %d, then %d", name, early.descriptors, late.descriptors)
	}
	if late.threads > early.threads+4 {
		r.fail("%s: threads leak: %d, then %d", name, early.threads, late.threads)
	}
	if late.memory > early.memory+8<<20 {
		r.fail("%s: memory leaks: %d MiB, then %d MiB", name, early.memory>>20, late.memory>>20)
	}
	s := w.takeStock()
	w.checkStock(r, "leaks", s, 0)
	w.goOn(r, "leaks", 0)
}

// countOf looks at a process; ok is false when it has ended.
func countOf(pid int) (c census, ok bool) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	fds, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return c, false
	}
	threads, _ := os.ReadDir(filepath.Join(dir, "task"))
	c = census{len(fds), len(threads), highWater(pid)}
	return c, c.memory > 0
}

// most is the highest of each count.
func most(all []census) (m census) {
	for _, c := range all {
		m.descriptors = max(m.descriptors, c.descriptors)
		m.threads = max(m.threads, c.threads)
		m.memory = max(m.memory, c.memory)
	}
	return m
}
