package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// scenario is a fleet, its listener and an outage, which begins at 0.
type scenario struct {
	hosts    int
	seed     uint64
	timer    time.Duration // the part of each minute over which timers spread
	period   time.Duration // from one payload of a host to the next
	headroom float64       // the listener takes so many times what the hosts make

	queue   time.Duration // the longest wait in the listener's queue
	timeout time.Duration // --timeout

	outage      time.Duration
	until       time.Duration // is played at least
	jitter      float64       // --retry-jitter
	longest     time.Duration // --retry-timeout-max
	concurrency int           // --concurrency; 0 is auto
}

func defaultScenario() scenario {
	return scenario{hosts: 10_000, seed: 13, timer: 55 * time.Second, period: 10 * time.Minute, headroom: 6,
		queue: 2 * time.Second, timeout: 5 * time.Second, jitter: 10}
}

// service is how long the listener works on a request.
const service = 100 * time.Millisecond

func (s scenario) workers() int {
	return int(s.headroom*float64(s.hosts)/s.period.Seconds()*service.Seconds()) + 1
}

// capacity is how many payloads the listener takes in a second.
func (s scenario) capacity() float64 { return float64(s.workers()) / service.Seconds() }

type kind uint8

const (
	timer  kind = iota // a host's timer starts a run
	begin              // a run has waited for its probe
	answer             // a host knows how a request went
)

type event struct {
	host  int32
	kind  kind
	how   outcome
	sent  time.Duration
	claim drain.Claim
}

// second counts the requests that were sent in one second, by how they went.
type second [4]int32

// fleet is a simulation under way.
type fleet struct {
	scenario
	hosts    []host
	listener listener
	queue    *queue
	seconds  []second
	behind   int // hosts that have not delivered their backlog
	lost     int // payloads that are neither delivered nor spooled, or are both
}

// longEnough ends the simulation of a fleet that never catches up.
const longEnough = 48 * time.Hour

// simulate plays a scenario until each host has delivered what it had when the outage was over.
func simulate(s scenario) *fleet {
	f := &fleet{scenario: s, hosts: make([]host, s.hosts), queue: &queue{now: s.outage}}
	f.listener = listener{up: s.outage, service: service, queue: s.queue, timeout: s.timeout, way: 10 * time.Millisecond,
		ends: make([]time.Duration, s.workers())}
	random := rand.New(rand.NewPCG(s.seed, 0))
	for i := range f.hosts {
		h := &f.hosts[i]
		*h = host{breaker: s.newBreaker(i), period: s.period, phase: time.Duration(random.Int64N(int64(s.period))),
			second: time.Duration(random.Int64N(int64(s.timer))).Truncate(instant)}
		if h.backlog = h.made(s.outage); h.backlog > 0 {
			f.behind++
		}
		f.sitOut(h, int32(i))
	}
	for f.queue.now < s.until || f.behind > 0 && f.queue.now < s.outage+longEnough {
		e := f.queue.take()
		f.handle(&f.hosts[e.host], e)
	}
	f.compare()
	return f
}

func (s scenario) newBreaker(host int) *breaker.Breaker {
	b, err := breaker.New(breaker.Config{StateDir: "/nonexistent", HostID: fmt.Sprintf("host %d of %d", host, s.seed),
		RetryJitter: s.jitter, RetryTimeoutMax: s.longest})
	if err == nil {
		err = b.Peek(epoch)
	}
	if err != nil {
		panic(err)
	}
	return b
}

// sitOut plays the outage for one host. Its requests are refused at once, whatever other hosts do,
// so the host needs no queue until it starts a run after the outage.
func (f *fleet) sitOut(h *host, i int32) {
	now := h.second
	for now < f.outage {
		at, ok := h.startAt(now)
		if ok && at >= f.outage {
			f.queue.put(at, event{host: i, kind: begin})
			return
		}
		if ok {
			now = f.sendRefused(h, at)
		}
		now = h.nextTimer(now)
	}
	f.queue.put(now, event{host: i, kind: timer})
}

// sendRefused plays a run in the outage, and returns when it ends.
func (f *fleet) sendRefused(h *host, now time.Duration) time.Duration {
	for h.begin(now, f.concurrency); h.maySend(); {
		claim, sent := h.claim(), now
		var how outcome
		how, now = f.listener.send(sent)
		f.count(sent, how)
		h.know(now, claim, how, now-sent)
	}
	f.end(h, now)
	return now
}

func (f *fleet) handle(h *host, e event) {
	now := f.queue.now
	switch e.kind {
	case timer:
		at, ok := h.startAt(now)
		switch {
		case !ok:
			f.queue.put(h.nextTimer(now), e)
			return
		case at > now:
			f.queue.put(at, event{host: e.host, kind: begin})
			return
		}
		h.begin(now, f.concurrency)
	case begin:
		h.begin(now, f.concurrency)
	case answer:
		h.know(now, e.claim, e.how, now-e.sent)
		if h.backlog > 0 && h.drainedAt == 0 && h.delivered >= h.backlog {
			h.drainedAt = now
			f.behind--
		}
	}
	for h.maySend() {
		claim := h.claim()
		how, known := f.listener.send(now)
		f.count(now, how)
		f.queue.put(known, event{host: e.host, kind: answer, how: how, sent: now, claim: claim})
	}
	if h.inFlight == 0 {
		f.end(h, now)
		f.queue.put(h.nextTimer(now), event{host: e.host, kind: timer})
	}
}

// end ends a run. Each payload that it found is delivered now, or failed, or was not sent.
func (f *fleet) end(h *host, now time.Duration) {
	f.lost += h.spooled - h.todo - h.left
	h.end(now)
}

// compare sets what hosts think that they have delivered against what the listener has answered.
func (f *fleet) compare() {
	answered, delivered, inFlight := 0, 0, 0
	for _, s := range f.seconds {
		answered += int(s[good])
	}
	for i := range f.hosts {
		delivered += f.hosts[i].delivered
		inFlight += f.hosts[i].inFlight
	}
	f.lost += max(0, delivered-answered) + max(0, answered-delivered-inFlight)
}

func (f *fleet) count(now time.Duration, how outcome) {
	at := int(now / time.Second)
	for len(f.seconds) <= at {
		f.seconds = append(f.seconds, second{})
	}
	f.seconds[at][how]++
}
