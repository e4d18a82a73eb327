//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// powerCut cuts the power under producers and runs at random moments, on a file
// system of the given kind, and looks at what comes back.
func powerCut(kind string) func(*torture, *result) {
	return func(t *torture, r *result) {
		size := int64(64 << 20)
		if kind == "xfs" {
			size = 320 << 20 // the least that mkfs.xfs takes
		}
		d, err := t.newDisk(kind, size)
		if err != nil {
			r.skip("%v", err)
			return
		}
		defer d.remove()
		for i := range t.rounds(40, 300) {
			t.guard(r, func() { t.powerRound(r, d, t.random(i), i) })
			if len(r.wrong) > 0 {
				return // the file system may be in any state
			}
		}
	}
}

func (t *torture) powerRound(r *result, d *disk, random *rand.Rand, round int) {
	w := t.newWorld(d.dir)
	defer w.end()
	label := fmt.Sprintf("power cut on %s, round %d", d.kind, round)
	w.must(d.sync())
	w.endpoint.answers(obliging)
	// Only what a process said before the cut counts. After it, in the real
	// world, there is no process any more; here, XFS even tells one that a
	// directory is synced whose changes were just thrown away.
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var number, safe atomic.Int64
	for producer := range 2 {
		hand := rand.New(rand.NewPCG(random.Uint64(), uint64(producer)))
		wait.Go(func() {
			t.guard(r, func() { w.producer(hand, &number, stop) })
		})
	}
	wait.Go(func() { t.guard(r, func() { w.runner(r, label, &safe, stop) }) })

	// A round's first few milliseconds make directories and start programs.
	time.Sleep(time.Duration(20+random.IntN(250)) * time.Millisecond)
	close(stop)
	how := []uint32{cutNow, cutNow, cutNow, cutAfterLogFlush, cutAfterSync}[random.IntN(5)]
	w.must(d.cut(how))
	wait.Wait()
	r.round(1)
	w.must(d.unmount())
	w.must(d.mount())

	s := w.takeStock()
	// Removals since the last fsync of the directory may be undone: what was
	// delivered after the last run that came to its end.
	allowed := s.delivered - int(safe.Load())
	w.checkStock(r, label, s, s.again)
	w.goOn(r, label, allowed)
}

// producer spools one payload after the other with put, until that fails. What
// put has named is on the disk for certain.
func (w *world) producer(hand *rand.Rand, number *atomic.Int64, stop chan struct{}) {
	for !closed(stop) {
		var items []string
		for range []int{1, 1, 1, 5}[hand.IntN(4)] {
			n := int(number.Add(1))
			items = append(items, does(n, []string{"200", "200", "200", "200", "400", "500"}[hand.IntN(6)]))
		}
		content := items[0]
		if len(items) > 1 {
			content = "[" + strings.Join(items, ",") + "]"
		}
		w.books.enter(false, items...)
		p := w.spoolfwd("put")
		p.stdin = strings.NewReader(content)
		o, err := p.run()
		w.must(err)
		if o.code == 0 && !closed(stop) {
			w.books.confirm(items...)
		}
	}
}

// runner is the scheduler. safe is how many deliveries came before the end of the
// last run that ended well, whose removals are on the disk.
func (w *world) runner(r *result, label string, safe *atomic.Int64, stop chan struct{}) {
	for !closed(stop) {
		o, err := w.spoolfwd("run", "--retry-timeout", "1ms", "--failure-threshold", "3").run()
		w.must(err)
		w.check(r, label, o)
		if closed(stop) {
			return
		}
		switch o.code {
		case 0, 65, 69:
			accepted := 0
			for _, d := range w.endpoint.deliveries() {
				if d.accepted() {
					accepted++
				}
			}
			safe.Store(int64(accepted))
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
