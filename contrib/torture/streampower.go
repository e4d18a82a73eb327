//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// streamPower cuts the power of all three servers of a stream at once, while a run publishes. What
// the run has removed from the spool must be in the stream when they are back.
func streamPower(t *torture, r *result) {
	t.cutServers(r, "always", t.rounds(2, 20), func(e *env, label string, back error) {
		e.must(back)
		r.checkInventory(label, e.takeInventory(), 0)
		e.finish(r, label, 0)
	})
	if r.skipped != "" || len(r.failures) > 0 {
		return
	}
	const byDefault = "2m"
	// The default promises less. That it loses something shows that the cut is one.
	t.cutServers(r, byDefault, 1, func(e *env, _ string, back error) {
		if back != nil {
			r.notef("with the default sync_interval, the stream did not come back after the same cut: %v", back)
			return
		}
		i := e.takeInventory()
		r.notef("with the default sync_interval, the same cut took %d of %d items that the stream had acknowledged", len(i.lost), i.items-i.left)
	})
}

// cutServers plays rounds with the servers' sync_interval. check looks at what is there afterwards;
// back says whether the stream has come back.
func (t *torture) cutServers(r *result, syncInterval string, rounds int, check func(e *env, label string, back error)) {
	var disks []*disk
	var dirs []string
	for range 3 {
		d, err := t.newDisk("ext4", 128<<20)
		if err != nil {
			r.skipf("%v", err)
			return
		}
		defer d.remove()
		disks, dirs = append(disks, d), append(dirs, d.dir)
	}
	s, err := t.newStream(syncInterval, dirs...)
	if err == nil {
		defer s.stop()
		err = s.start()
	}
	if err != nil {
		r.skipf("%v", err)
		return
	}
	for i := range rounds {
		t.guard(r, func() {
			e := t.newEnv("")
			defer e.end()
			s.listen(e)
			if syncInterval != "always" { // otherwise the servers may have lost the stream itself
				for _, d := range disks {
					e.must(d.sync())
				}
			}
			back := e.cutUnder(s, disks, t.random(i))
			r.round(1)
			check(e, fmt.Sprintf("sync_interval %s, cut %d", syncInterval, i), back)
		})
		if len(r.failures) > 0 {
			return
		}
	}
}

// cutUnder cuts the power of the servers' disks under a run, and brings the servers back. The error
// says that the stream did not come back.
func (e *env) cutUnder(s *stream, disks []*disk, random *rand.Rand) error {
	const files = 300
	for i := range files {
		e.object(fmt.Sprintf("a%03d.json", i), item(i, "200"))
	}
	run, err := e.spoolfwd("run", "--concurrency", []string{"1", "4", "16"}[random.IntN(3)], "--timeout", "1s").start()
	e.must(err)
	e.waitForRemovals(1 + random.IntN(files*2/3))
	var wait sync.WaitGroup
	failed := make([]error, len(disks))
	for i, d := range disks {
		wait.Go(func() { failed[i] = d.cut(cutNow) })
	}
	wait.Wait()
	s.stop()
	run.wait()
	for i, d := range disks {
		e.must(failed[i])
		e.must(d.unmount())
		e.must(d.mount())
	}
	return s.start()
}

// waitForRemovals waits until a run has removed n of the payload files.
func (e *env) waitForRemovals(n int) {
	for deadline := time.Now().Add(processLimit); ; time.Sleep(time.Millisecond) {
		entries, err := os.ReadDir(e.spool)
		e.must(err)
		if len(entries) <= e.files-n {
			return
		}
		if time.Now().After(deadline) {
			e.must(fmt.Errorf("no %d payload files were removed within %v", n, processLimit))
		}
	}
}
