package breaker

import "testing"

// TestEveryEventInEveryState is the behaviour as a table: three states, one of them before and
// after its hold, times every event. Times are in microseconds; the timeout is 100 and
// grows to 350, the cap of Retry-After is 1000, the threshold 3.
func TestEveryEventInEveryState(t *testing.T) {
	r := rules{threshold: 3, timeout: 100, longest: 350, holdCap: 1000}
	var (
		closed0  = snapshot{}
		closed1  = snapshot{failures: 1, lastFailure: 500}
		closed2  = snapshot{failures: 2, lastFailure: 500}
		closed7  = snapshot{failures: 7, lastFailure: 500} // another program, or a threshold that was lowered
		opened   = snapshot{state: Open, failures: 3, lastFailure: 1000, openedAt: 1000, openSince: 1000}
		delayed  = snapshot{state: Open, failures: 1, lastFailure: 1000, openedAt: 1000, openSince: 1000, notBefore: 1500}
		tripped0 = snapshot{state: Open, openedAt: 1000, openSince: 1000, tripped: true}
		tripped9 = snapshot{state: Open, openedAt: 1000, openSince: 1000, notBefore: 9_001_000, tripped: true}
		halfOpen = snapshot{state: HalfOpen, failures: 3, lastFailure: 1000, openedAt: 1000, openSince: 1000}
		again    = snapshot{state: Open, failures: 4, lastFailure: 1000, openedAt: 1000, openSince: 900, failedProbes: 1}
		probing  = snapshot{state: HalfOpen, failures: 4, lastFailure: 1000, openedAt: 1000, openSince: 900, failedProbes: 1}
		longest  = snapshot{state: Open, failures: 5, lastFailure: 1000, openedAt: 1000, openSince: 900, failedProbes: 2}
		unknown  = snapshot{state: Open, failures: 3}
		forcedR  = snapshot{state: HalfOpen, failures: 1, lastFailure: 1000, openedAt: 1000, openSince: 1000, notBefore: 1500, forced: true}
		forced9  = snapshot{state: HalfOpen, openedAt: 1000, openSince: 1000, notBefore: 9_001_000, tripped: true, forced: true}
	)
	covered := map[[2]int]bool{}
	for _, test := range []struct {
		name string
		m    snapshot
		e    event
		now  micros
		want snapshot
	}{
		{"closed stays closed when only time passes", closed2, event{tick, 0}, 1050, closed2},
		{"closed stays closed when asked", closed2, event{allow, 0}, 1050, closed2},
		{"closed without failures is not changed by success", closed0, event{succeeded, 0}, 1050, closed0},
		{"closed forgets its failures on success", closed2, event{succeeded, 0}, 1050, snapshot{lastFailure: 500}},
		{"closed counts a failure", closed1, event{failed, 0}, 1050, snapshot{failures: 2, lastFailure: 1050}},
		{"closed opens at the threshold", closed2, event{failed, 0}, 1050,
			snapshot{state: Open, failures: 3, lastFailure: 1050, openedAt: 1050, openSince: 1050}},
		{"closed opens beyond the threshold", closed7, event{failed, 0}, 1050,
			snapshot{state: Open, failures: 8, lastFailure: 1050, openedAt: 1050, openSince: 1050}},
		{"closed opens at once on a retry-after", closed0, event{failed, 500}, 1050,
			snapshot{state: Open, failures: 1, lastFailure: 1050, openedAt: 1050, openSince: 1050, notBefore: 1550}},
		{"closed opens for the timeout on a shorter retry-after", closed0, event{failed, 99}, 1050,
			snapshot{state: Open, failures: 1, lastFailure: 1050, openedAt: 1050, openSince: 1050}},
		{"closed opens for the timeout on an equal retry-after", closed0, event{failed, 100}, 1050,
			snapshot{state: Open, failures: 1, lastFailure: 1050, openedAt: 1050, openSince: 1050}},
		{"closed opens for no longer than the cap", closed0, event{failed, 1001}, 1050,
			snapshot{state: Open, failures: 1, lastFailure: 1050, openedAt: 1050, openSince: 1050, notBefore: 2050}},
		{"closed is cleared by reset", closed2, event{reset, 0}, 1050, snapshot{}},
		{"closed opens when tripped", closed2, event{tripped, 9_000_000}, 1050,
			snapshot{state: Open, failures: 2, lastFailure: 500, openedAt: 1050, openSince: 1050, notBefore: 9_001_050, tripped: true}},
		{"closed opens when tripped without a hold", closed0, event{tripped, 0}, 1050,
			snapshot{state: Open, openedAt: 1050, openSince: 1050, tripped: true}},
		{"closed does not keep a failure time in the future", closed2, event{allow, 0}, 400, snapshot{failures: 2, lastFailure: 400}},

		{"open stays open when only time passes, its hold over or not", opened, event{tick, 0}, 9999, opened},
		{"open stays open when asked before its hold is over", opened, event{allow, 0}, 1099, opened},
		{"open turns half-open when asked at the end of its hold", opened, event{allow, 0}, 1100, halfOpen},
		{"open counts from now on when the clock went back", opened, event{allow, 0}, 600,
			snapshot{state: Open, failures: 3, lastFailure: 600, openedAt: 600, openSince: 600}},
		{"open ignores a late success", opened, event{succeeded, 0}, 1050, opened},
		{"open ignores a late success after its hold", opened, event{succeeded, 0}, 1500, opened},
		{"open counts a late failure and does not move", opened, event{failed, 0}, 1050,
			snapshot{state: Open, failures: 4, lastFailure: 1050, openedAt: 1000, openSince: 1000}},
		{"open is extended by a late retry-after", opened, event{failed, 500}, 1050,
			snapshot{state: Open, failures: 4, lastFailure: 1050, openedAt: 1000, openSince: 1000, notBefore: 1550}},
		{"open is not extended by a late retry-after within its hold", opened, event{failed, 50}, 1050,
			snapshot{state: Open, failures: 4, lastFailure: 1050, openedAt: 1000, openSince: 1000}},
		{"open is cleared by reset", opened, event{reset, 0}, 1050, snapshot{}},
		{"open is tripped anew", delayed, event{tripped, 70}, 1050,
			snapshot{state: Open, failures: 1, lastFailure: 1000, openedAt: 1050, openSince: 1000, notBefore: 1120, tripped: true}},
		{"open without a time is not held", unknown, event{allow, 0}, 1, snapshot{state: HalfOpen, failures: 3}},

		{"delayed stays open until its retry-after", delayed, event{allow, 0}, 1499, delayed},
		{"delayed turns half-open at its retry-after", delayed, event{allow, 0}, 1500,
			snapshot{state: HalfOpen, failures: 1, lastFailure: 1000, openedAt: 1000, openSince: 1000}},
		{"delayed is not shortened by a late retry-after", delayed, event{failed, 200}, 1050,
			snapshot{state: Open, failures: 2, lastFailure: 1050, openedAt: 1000, openSince: 1000, notBefore: 1500}},
		{"delayed keeps its hold when the clock went back", delayed, event{allow, 0}, 600,
			snapshot{state: Open, failures: 1, lastFailure: 600, openedAt: 600, openSince: 600, notBefore: 1100}},

		{"tripped without a hold stays open for the timeout", tripped0, event{allow, 0}, 1099, tripped0},
		{"tripped without a hold turns half-open after the timeout", tripped0, event{allow, 0}, 1100,
			snapshot{state: HalfOpen, openedAt: 1000, openSince: 1000}},
		{"tripped stays open beyond the cap", tripped9, event{allow, 0}, 9_000_999, tripped9},
		{"tripped turns half-open after its hold", tripped9, event{allow, 0}, 9_001_000, snapshot{state: HalfOpen, openedAt: 1000, openSince: 1000}},
		{"tripped ignores a late success", tripped9, event{succeeded, 0}, 1050, tripped9},
		{"tripped counts a late failure and does not move", tripped9, event{failed, 500}, 1050,
			snapshot{state: Open, failures: 1, lastFailure: 1050, openedAt: 1000, openSince: 1000, notBefore: 9_001_000, tripped: true}},
		{"tripped keeps its hold when the clock went back", tripped9, event{allow, 0}, 600,
			snapshot{state: Open, openedAt: 600, openSince: 600, notBefore: 9_000_600, tripped: true}},

		{"half-open stays half-open when only time passes", halfOpen, event{tick, 0}, 1150, halfOpen},
		{"half-open stays half-open when asked", halfOpen, event{allow, 0}, 1150, halfOpen},
		{"half-open closes and clears on success", halfOpen, event{succeeded, 0}, 1150, snapshot{}},
		{"half-open opens anew on failure", halfOpen, event{failed, 0}, 1150,
			snapshot{state: Open, failures: 4, lastFailure: 1150, openedAt: 1150, openSince: 1000, failedProbes: 1}},
		{"half-open opens anew on one failure below the threshold", snapshot{state: HalfOpen}, event{failed, 0}, 1150,
			snapshot{state: Open, failures: 1, lastFailure: 1150, openedAt: 1150, openSince: 1150, failedProbes: 1}},
		{"half-open opens anew on a retry-after", halfOpen, event{failed, 500}, 1150,
			snapshot{state: Open, failures: 4, lastFailure: 1150, openedAt: 1150, openSince: 1000, notBefore: 1650, failedProbes: 1}},
		{"half-open is not open since before its clock went back", halfOpen, event{failed, 0}, 600,
			snapshot{state: Open, failures: 4, lastFailure: 600, openedAt: 600, openSince: 600, failedProbes: 1}},
		{"half-open is cleared by reset", halfOpen, event{reset, 0}, 1150, snapshot{}},
		{"half-open opens when tripped", halfOpen, event{tripped, 70}, 1150,
			snapshot{state: Open, failures: 3, lastFailure: 1000, openedAt: 1150, openSince: 1000, notBefore: 1220, tripped: true}},

		{"after a failed probe it stays open for twice the timeout", again, event{allow, 0}, 1199, again},
		{"after a failed probe it turns half-open after twice the timeout", again, event{allow, 0}, 1200, probing},
		{"after two failed probes it stays open for the longest timeout", longest, event{allow, 0}, 1349, longest},
		{"after two failed probes it turns half-open after the longest timeout", longest, event{allow, 0}, 1350,
			snapshot{state: HalfOpen, failures: 5, lastFailure: 1000, openedAt: 1000, openSince: 900, failedProbes: 2}},
		{"after a failed probe another failure counts as another probe", probing, event{failed, 0}, 1200,
			snapshot{state: Open, failures: 5, lastFailure: 1200, openedAt: 1200, openSince: 900, failedProbes: 2}},
		{"after a failed probe a success forgets it", probing, event{succeeded, 0}, 1200, snapshot{}},
		{"after a failed probe a late failure is not another probe", again, event{failed, 0}, 1050,
			snapshot{state: Open, failures: 5, lastFailure: 1050, openedAt: 1000, openSince: 900, failedProbes: 1}},
		{"after a failed probe a retry-after that ends earlier changes nothing", probing, event{failed, 349}, 1200,
			snapshot{state: Open, failures: 5, lastFailure: 1200, openedAt: 1200, openSince: 900, failedProbes: 2}},
		{"after a failed probe a retry-after that ends later counts", probing, event{failed, 351}, 1200,
			snapshot{state: Open, failures: 5, lastFailure: 1200, openedAt: 1200, openSince: 900, notBefore: 1551, failedProbes: 2}},
		{"after a failed probe it counts from now on when the clock went back", longest, event{allow, 0}, 600,
			snapshot{state: Open, failures: 5, lastFailure: 600, openedAt: 600, openSince: 600, failedProbes: 2}},
		{"after a failed probe a trip forgets it", again, event{tripped, 0}, 1050,
			snapshot{state: Open, failures: 4, lastFailure: 1000, openedAt: 1050, openSince: 900, tripped: true}},
		{"after a failed probe a forced one that fails is not another one",
			snapshot{state: HalfOpen, failures: 4, lastFailure: 1000, openedAt: 1000, openSince: 900, forced: true, failedProbes: 1}, event{failed, 0}, 1050,
			snapshot{state: Open, failures: 5, lastFailure: 1050, openedAt: 1000, openSince: 900, failedProbes: 1}},

		{"closed cannot be forced", closed2, event{forced, 0}, 1050, closed2},
		{"half-open cannot be forced", halfOpen, event{forced, 0}, 1150, halfOpen},
		{"open is not forced when its hold is over", opened, event{forced, 0}, 1100, opened},
		{"open probes when forced", opened, event{forced, 0}, 1099,
			snapshot{state: HalfOpen, failures: 3, lastFailure: 1000, openedAt: 1000, openSince: 1000, forced: true}},
		{"delayed probes when forced", delayed, event{forced, 0}, 1050, forcedR},
		{"tripped probes when forced", tripped9, event{forced, 0}, 1050, forced9},
		{"forced stays forced when asked", forced9, event{allow, 0}, 1050, forced9},
		{"forced closes and clears on success", forced9, event{succeeded, 0}, 1050, snapshot{}},
		{"forced is cleared by reset", forced9, event{reset, 0}, 1050, snapshot{}},
		{"forced opens when tripped", forced9, event{tripped, 70}, 1050,
			snapshot{state: Open, openedAt: 1050, openSince: 1000, notBefore: 1120, tripped: true}},
		{"forced goes back to its retry-after on failure", forcedR, event{failed, 0}, 1050,
			snapshot{state: Open, failures: 2, lastFailure: 1050, openedAt: 1000, openSince: 1000, notBefore: 1500}},
		{"forced goes back to its hold on failure even if that is nearly over", forcedR, event{failed, 0}, 1450,
			snapshot{state: Open, failures: 2, lastFailure: 1450, openedAt: 1000, openSince: 1000, notBefore: 1500}},
		{"forced goes back to a hold that is corrected when asked, if the clock went back", forcedR, event{failed, 0}, 600,
			snapshot{state: Open, failures: 2, lastFailure: 600, openedAt: 1000, openSince: 1000, notBefore: 1500}},
		{"forced is extended by a later retry-after", forcedR, event{failed, 700}, 1050,
			snapshot{state: Open, failures: 2, lastFailure: 1050, openedAt: 1000, openSince: 1000, notBefore: 1750}},
		{"forced goes back to its trip on failure", forced9, event{failed, 500}, 1050,
			snapshot{state: Open, failures: 1, lastFailure: 1050, openedAt: 1000, openSince: 1000, notBefore: 9_001_000, tripped: true}},

		{"the count does not overflow", snapshot{state: Open, failures: maxCount, openedAt: 1000, openSince: 1000}, event{failed, 0}, 1050,
			snapshot{state: Open, failures: maxCount, lastFailure: 1050, openedAt: 1000, openSince: 1000}},
		{"the count of failed probes does not overflow", snapshot{state: HalfOpen, failures: maxCount, failedProbes: maxCount}, event{failed, 0}, 1050,
			snapshot{state: Open, failures: maxCount, lastFailure: 1050, openedAt: 1050, openSince: 1050, failedProbes: maxCount}},
		{"any number of failed probes holds for the longest timeout", snapshot{state: Open, openedAt: 1000, openSince: 1000, failedProbes: maxCount},
			event{allow, 0}, 1349, snapshot{state: Open, openedAt: 1000, openSince: 1000, failedProbes: maxCount}},
		{"a trip ends after 100 years", closed0, event{tripped, 1 << 62}, 1050,
			snapshot{state: Open, openedAt: 1050, openSince: 1050, notBefore: 1050 + maxTrip, tripped: true}},
		{"a trip beyond 100 years is held to the cap", snapshot{state: Open, openedAt: 1000, openSince: 1000, notBefore: maxMicros, tripped: true},
			event{tick, 0}, 1050, snapshot{state: Open, openedAt: 1000, openSince: 1000, notBefore: 2050}},
	} {
		covered[[2]int{int(test.m.state), int(test.e.kind)}] = true
		t.Run(test.name, func(t *testing.T) {
			if got := r.step(test.m, test.e, test.now); got != test.want {
				t.Errorf("%+v\nbecame %+v\nwant   %+v", test.m, got, test.want)
			}
		})
	}
	for state := Closed; state <= HalfOpen; state++ {
		for kind := tick; kind <= forced; kind++ {
			if !covered[[2]int{int(state), int(kind)}] {
				t.Errorf("the table has no row for event %d in state %v", kind, state)
			}
		}
	}
}
