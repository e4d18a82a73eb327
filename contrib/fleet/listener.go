package main

import "time"

// outcome is how a request went.
type outcome uint8

const (
	good    outcome = iota
	refused         // nobody listens
	full            // 503
	late            // the client had given up
)

// listener works on requests in the order in which they come, on a few at once. Until it is up,
// connections are refused. A request that would have to wait for too long gets a 503 at once. The
// listener does not notice that a client has given up, and then works in vain.
type listener struct {
	up      time.Duration
	service time.Duration // of one request
	queue   time.Duration // the longest wait
	timeout time.Duration // of the clients
	way     time.Duration // there or back
	ends    []time.Duration
	served  int // requests that were not refused
}

// send is a request at now. The client knows how it went at known.
func (l *listener) send(now time.Duration) (how outcome, known time.Duration) {
	if now < l.up {
		return refused, now + 2*l.way
	}
	// The worker who took the first of as many requests as there are workers is free first.
	end := &l.ends[l.served%len(l.ends)]
	begin := max(now+l.way, *end)
	if begin-now-l.way > l.queue {
		return full, now + 2*l.way
	}
	l.served++
	*end = begin + l.service
	if known = *end + l.way; known > now+l.timeout {
		return late, now + l.timeout
	}
	return good, known
}
