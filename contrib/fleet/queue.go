package main

import "time"

// instant is the resolution of virtual time.
const instant = time.Millisecond

// queue hands out events in the order of their time, and those of one instant in the order in which
// they were put. Each instant has a slot, as on the dial of a clock: a heap of all requests in
// flight would take most of the simulation's time.
type queue struct {
	now    time.Duration
	slots  [1 << 17][]event // two minutes
	taken  int              // events of the slot of now
	events int
}

// put schedules an event, at most two minutes ahead.
func (q *queue) put(at time.Duration, e event) {
	tick := (max(at, q.now) + instant - 1) / instant
	if tick-q.now/instant >= time.Duration(len(q.slots)) {
		panic("an event lies too far ahead")
	}
	slot := &q.slots[tick%time.Duration(len(q.slots))]
	*slot = append(*slot, e)
	q.events++
}

// take returns the next event. Its time is now.
func (q *queue) take() event {
	for q.events > 0 {
		slot := &q.slots[q.now/instant%time.Duration(len(q.slots))]
		if q.taken < len(*slot) {
			q.taken++
			q.events--
			return (*slot)[q.taken-1]
		}
		*slot, q.taken = (*slot)[:0], 0
		q.now += instant
	}
	panic("nothing is left to happen")
}
