//go:build linux

package main

import (
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// turn is what was measured of one contender in one round.
type turn struct {
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu_seconds"` // of this process
	Heard   float64 `json:"listener_cpu_seconds"`
	Others  float64 `json:"others"` // share of the processors that neither this process nor the listener used
}

// race lets the contenders take turns and compares them.
func (b *bench) race() (result, error) {
	l, err := b.startListener()
	if err != nil {
		return nil, err
	}
	all := b.contenders()
	turns := make(map[string][]turn)
	for round := range b.rounds {
		for i := range all {
			c := all[(i+round)%len(all)]
			t, err := b.calmly(func() (turn, error) { return b.turn(c, l) })
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			turns[c.name] = append(turns[c.name], t)
		}
		b.say("round %d of %d is over", round+1, b.rounds)
	}
	l.stop()
	r := &raceResult{Machine: b.machine, Files: b.files, Size: b.size, Rounds: b.rounds, Trips: b.trips}
	for _, c := range all {
		r.Contenders = append(r.Contenders, b.summary(c.name, turns[c.name]))
	}
	for _, c := range comparisons() {
		r.Ratios = append(r.Ratios, c.of(turns))
	}
	if b.latency {
		if r.Latency, err = b.slowListener(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// turn fills the spool, lets a contender empty it, and checks that it did.
func (b *bench) turn(c contender, l *listener) (turn, error) {
	if err := b.fill(b.files); err != nil {
		return turn{}, err
	}
	if c.looks != nil {
		return b.look(c, l)
	}
	if err := l.reset(); err != nil {
		return turn{}, err
	}
	before := usageNow(l.pid())
	t, err := timed(func() error { return c.run(l.url) })
	after := usageNow(l.pid())
	t.Others, t.Heard = after.othersSince(before), after.listener-before.listener
	if err != nil {
		return t, err
	}
	if c.sends {
		requests := b.files
		if c.batch {
			requests = 0
		}
		if err := l.expect(b.files, requests); err != nil {
			return t, err
		}
	}
	if err := b.expectEmpty(); err != nil {
		return t, err
	}
	return t, b.settle()
}

// look is the turn of a contender that leaves the payload files where they are.
func (b *bench) look(c contender, l *listener) (turn, error) {
	entries, err := b.scanned() // so that no contender is the first to look at the files
	if err != nil {
		return turn{}, err
	}
	before := usageNow(l.pid())
	t, err := timed(func() error { return c.looks(entries) })
	after := usageNow(l.pid())
	t.Others, t.Heard = after.othersSince(before), after.listener-before.listener
	if err == nil {
		err = b.fileSystemAlone(1)
	}
	if err == nil {
		err = b.settle()
	}
	return t, err
}

// timed measures what do costs. The garbage of those before it is not its own.
func timed(do func() error) (turn, error) {
	runtime.GC()
	cpu, began := cpuTime(), time.Now()
	err := do()
	return turn{Seconds: time.Since(began).Seconds(), CPU: cpuTime() - cpu}, err
}

// cpuTime is what this process has used of the processors, in seconds.
func cpuTime() float64 {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u) // cannot fail: getrusage(2)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func (b *bench) expectEmpty() error {
	left, dir, err := b.list()
	if err != nil {
		return err
	}
	unix.Close(dir)
	if len(left) > 0 {
		return fmt.Errorf("%d files are left in the spool, %s for one", len(left), left[0].Name())
	}
	return nil
}
