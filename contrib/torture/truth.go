//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// breakerState is what a story makes the breaker's file say.
type breakerState struct {
	state    string
	failures int
	hold     time.Duration // of a Retry-After or a trip, from the last failure or the opening; 0: none
}

func (b breakerState) String() string {
	return fmt.Sprintf("%s after %d failures", b.state, b.failures)
}

// The states that most stories are made of.
func closedAfter(failures int) breakerState { return breakerState{state: "closed", failures: failures} }
func openAfter(failures int) breakerState   { return breakerState{state: "open", failures: failures} }

// probing is a story that begins with an open breaker and lets a probe go.
func probing(then breakerState) []breakerState {
	return []breakerState{openAfter(5), {state: "half_open", failures: 5}, then}
}

// states are those that a story may leave behind when it is killed: what it
// found and what it saves, in that order. The last one is that of its end.
func (s story) states() []breakerState {
	if s.breaker == nil {
		return []breakerState{closedAfter(0)}
	}
	return s.breaker
}

// end is the one state that the story has in the end when nothing happens to it.
func (s story) end() []breakerState {
	all := s.states()
	return all[len(all)-1:]
}

// states are those that a story may leave behind under a fault: those that it
// may when it is killed, and those of a run that could not read one of its
// payloads, or not the breaker's file, and so began with a closed one. On a
// socket each request may fail.
func (f fault) states() []breakerState {
	all := append(f.story.states(), f.story.otherwise...)
	if !f.socket {
		return all
	}
	const requests = 30 // more than any story sends
	for n := range requests {
		all = append(all, closedAfter(n), openAfter(n+1))
		for _, b := range f.story.states() {
			if b.hold > 0 {
				all = append(all, breakerState{"open", n + 1, b.hold})
			}
		}
	}
	return all
}

// checkState fails when the state file does not say one of what it may: not just
// whole but true.
func (w *world) checkState(r *result, label string, may []breakerState) {
	if err := w.stateIsOneOf(may); err != nil {
		r.fail("%s: %v", label, err)
	}
}

func (w *world) stateIsOneOf(may []breakerState) error {
	file, err := w.readState()
	if err != nil {
		return err
	}
	err = fmt.Errorf("want one of %v", may)
	for _, b := range may {
		if b.state != file.State || b.failures != file.Failures {
			continue
		}
		if err = w.timesAreTrue(file, b.hold); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the state file is whole and not true: %w: %+v", err, file)
}

// timesAreTrue checks that each time is none, that of the file found, or one of
// this round, and none where nothing happened.
func (w *world) timesAreTrue(file stateFile, hold time.Duration) error {
	begun, now := seconds(w.began)-0.001, seconds(time.Now())
	fits := func(t float64) bool { return t != 0 && (t == w.stateBefore || t >= begun && t <= now) }
	opened := file.State != "closed"
	held := file.NotBefore - max(file.Last, file.Opened)
	switch {
	case opened && !fits(file.Opened), !opened && file.Opened != 0:
		return errors.New("the time of its opening")
	case file.Last != 0 && !fits(file.Last), file.Last == 0 && file.Failures > 0:
		return errors.New("the time of the last failure")
	case hold == 0 && file.NotBefore != 0, hold > 0 && math.Abs(held-hold.Seconds()) > 0.5:
		return errors.New("the time before which no probe may go")
	case file.Tripped != (opened && w.tripped):
		return errors.New("whether it was opened by hand")
	}
	return nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// checkMemory checks that a run goes on from the failures that the state file
// tells of, opens the breaker at the threshold and writes that down; and that
// the next run then sends nothing.
func (w *world) checkMemory(r *result, label string) {
	const found, threshold = 1, 3
	w.writeState("closed", found, 0)
	for i := range threshold {
		w.object(fmt.Sprintf("memory%d.json", i), fmt.Sprintf(`{"memory":%d}`, i))
	}
	w.endpoint.answers(always(500))
	for _, requests := range []int{threshold - found, 0} {
		before := w.endpoint.count()
		o, err := w.spoolfwd("run", "--concurrency", "1", "--failure-threshold", fmt.Sprint(threshold)).run()
		w.must(err)
		w.check(r, label, o)
		if n := w.endpoint.count() - before; n != requests || o.code != 69 && o.code != 75 && requests > 0 {
			r.fail("%s: %d requests to a listener that is down, want %d\n%s", label, n, requests, strings.TrimSpace(o.tell()))
		}
		w.checkState(r, label, []breakerState{openAfter(threshold)})
	}
}
