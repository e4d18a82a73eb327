//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// breakerState is what a workload makes the breaker's file say.
type breakerState struct {
	state    string
	failures int
	hold     time.Duration // of a Retry-After or a trip, from the last failure or the opening; 0: none
}

func (b breakerState) String() string {
	return fmt.Sprintf("%s after %d failures", b.state, b.failures)
}

func closedAfter(failures int) breakerState { return breakerState{state: "closed", failures: failures} }
func openAfter(failures int) breakerState   { return breakerState{state: "open", failures: failures} }

// probing are the states of a workload that begins with an open breaker and lets a probe go.
func probing(then breakerState) []breakerState {
	return []breakerState{openAfter(5), {state: "half_open", failures: 5}, then}
}

// states are those that a workload may leave behind when it is killed, in order: the state that it
// found and those that it saves. The last one is that of an undisturbed run.
func (l workload) states() []breakerState {
	if l.breaker == nil {
		return []breakerState{closedAfter(0)}
	}
	return l.breaker
}

// end is the state that an undisturbed run leaves.
func (l workload) end() []breakerState {
	all := l.states()
	return all[len(all)-1:]
}

// states are those that a workload may leave behind under a fault: those of a killed one, and those
// of a run that could not read a payload or the state file. Under a fault of a socket each request
// may fail.
func (f fault) states() []breakerState {
	all := append(f.workload.states(), f.workload.underFaults...)
	if !f.socket {
		return all
	}
	const requests = 30 // more than any workload sends
	for n := range requests {
		all = append(all, closedAfter(n), openAfter(n+1))
		for _, b := range f.workload.states() {
			if b.hold > 0 {
				all = append(all, breakerState{"open", n + 1, b.hold})
			}
		}
	}
	return all
}

// checkState fails unless the state file says one of what it may say.
func (e *env) checkState(r *result, label string, allowed []breakerState) {
	if err := e.stateIsOneOf(allowed); err != nil {
		r.failf("%s: %v", label, err)
	}
}

func (e *env) stateIsOneOf(allowed []breakerState) error {
	file, err := e.readState()
	if err != nil {
		return err
	}
	err = fmt.Errorf("want one of %v", allowed)
	for _, b := range allowed {
		if b.state != file.State || b.failures != file.Failures {
			continue
		}
		if err = e.checkTimes(file, b.hold); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the state file is complete and not true: %w: %+v", err, file)
}

// checkTimes checks that each time in the state file is the one found or lies in this round, and
// that there is none where nothing happened.
func (e *env) checkTimes(file stateFile, hold time.Duration) error {
	begun, now := seconds(e.began)-0.001, seconds(time.Now())
	fits := func(t float64) bool { return t != 0 && (t == e.stateBefore || t >= begun && t <= now) }
	opened := file.State != "closed"
	held := file.NotBefore - max(file.Last, file.Opened)
	switch {
	case opened && !fits(file.Opened), !opened && file.Opened != 0:
		return errors.New("wrong opened_at")
	case file.Last != 0 && !fits(file.Last), file.Last == 0 && file.Failures > 0:
		return errors.New("wrong last_failure_time")
	case hold == 0 && file.NotBefore != 0, hold > 0 && math.Abs(held-hold.Seconds()) > 0.5:
		return errors.New("wrong not_before")
	case file.Tripped != (opened && e.tripped):
		return errors.New("wrong tripped")
	}
	return nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
