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

// powerCut cuts the power under producers and runs at random moments, on a file system of the given
// kind, and checks what is there after the next mount.
func powerCut(kind string) func(*torture, *result) {
	return func(t *torture, r *result) {
		size := int64(64 << 20)
		if kind == "xfs" {
			size = 320 << 20 // mkfs.xfs takes no less
		}
		d, err := t.newDisk(kind, size)
		if err != nil {
			r.skipf("%v", err)
			return
		}
		defer d.remove()
		for i := range t.rounds(40, 300) {
			t.guard(r, func() { t.powerRound(r, d, t.random(i), i) })
			if len(r.failures) > 0 {
				return // the file system may be in any state
			}
		}
	}
}

func (t *torture) powerRound(r *result, d *disk, random *rand.Rand, round int) {
	e := t.newEnv(d.dir)
	defer e.end()
	label := fmt.Sprintf("power cut on %s, round %d", d.kind, round)
	e.must(d.sync())
	e.endpoint.answers(answerAsAsked)
	// Only what a process said before the cut counts. After a real power cut there is no process;
	// here, XFS even reports a directory as synced whose changes were just thrown away.
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var number, safe atomic.Int64
	for producer := range 2 {
		random := rand.New(rand.NewPCG(random.Uint64(), uint64(producer)))
		wait.Go(func() {
			t.guard(r, func() { e.produce(random, &number, stop) })
		})
	}
	wait.Go(func() { t.guard(r, func() { e.schedule(r, label, &safe, stop) }) })

	// In the first milliseconds of a round, directories are made and programs start.
	time.Sleep(time.Duration(20+random.IntN(250)) * time.Millisecond)
	close(stop)
	how := []uint32{cutNow, cutNow, cutNow, cutAfterLogFlush, cutAfterSync}[random.IntN(5)]
	e.must(d.cut(how))
	wait.Wait()
	r.round(1)
	e.must(d.unmount())
	e.must(d.mount())

	i := e.takeInventory()
	// Removals since the last fsync of the directory may be undone: those after the end of the last
	// run.
	allowed := i.delivered - int(safe.Load())
	r.checkInventory(label, i, i.repeated)
	e.finish(r, label, allowed)
}

// produce spools one payload after the other with put, until stop is closed. A payload that put has
// named is certainly on the disk.
func (e *env) produce(random *rand.Rand, number *atomic.Int64, stop chan struct{}) {
	for !isClosed(stop) {
		var items []string
		for range []int{1, 1, 1, 5}[random.IntN(4)] {
			n := int(number.Add(1))
			items = append(items, item(n, []string{"200", "200", "200", "200", "400", "500"}[random.IntN(6)]))
		}
		content := items[0]
		if len(items) > 1 {
			content = "[" + strings.Join(items, ",") + "]"
		}
		e.spooled.add(false, items...)
		p := e.spoolfwd("put")
		p.stdin = strings.NewReader(content)
		o, err := p.run()
		e.must(err)
		if o.code == 0 && !isClosed(stop) {
			e.spooled.confirm(items...)
		}
	}
}

// schedule starts one run after the other. safe is how many deliveries came before the end of the
// last run that ended well: the removals of those are on the disk.
func (e *env) schedule(r *result, label string, safe *atomic.Int64, stop chan struct{}) {
	for !isClosed(stop) {
		o := e.runToEnd(r, label, e.spoolfwd("run", "--retry-timeout", "1ms", "--failure-threshold", "3"))
		if isClosed(stop) {
			return
		}
		switch o.code {
		case 0, 65, 69:
			accepted := 0
			for _, d := range e.endpoint.deliveries() {
				if d.accepted() {
					accepted++
				}
			}
			safe.Store(int64(accepted))
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
