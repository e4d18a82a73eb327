package main

import (
	"hash/maphash"
	"sync"
)

// stats counts what happened. Safe for concurrent use: one short lock per request. Keys and bodies
// are held as 64-bit digests, of 2xx answers only.
type stats struct {
	seed maphash.Seed

	mu     sync.Mutex
	n      counts
	codes  [600]int64          // by step.code
	bodies map[uint64]struct{} // distinct bodies delivered
	keys   map[uint64]uint64   // key delivered -> the body it first came with
}

// counts is what the control endpoint and the stats file show. Requests to the control endpoint are
// in none of them.
type counts struct {
	Requests       int64            `json:"requests"`        // arrived whole and given a step, also when the step is not an answer
	Delivered      int64            `json:"delivered"`       // answered 2xx
	Items          int64            `json:"items"`           // JSON values in the delivered bodies
	Bytes          int64            `json:"bytes"`           // body bytes of all requests as they were sent
	ByStatus       map[string]int64 `json:"by_status"`       // status, or hang, reset, close, partial -> requests
	DistinctBodies int64            `json:"distinct_bodies"` // different bodies delivered
	DistinctKeys   int64            `json:"distinct_keys"`   // different Idempotency-Keys delivered
	Duplicates     int64            `json:"duplicates"`      // deliveries whose key had been delivered before
	KeyConflicts   int64            `json:"key_conflicts"`   // those of them that came with another body
	MissingKeys    int64            `json:"missing_keys"`    // requests without an Idempotency-Key
	CutOff         int64            `json:"cut_off"`         // requests that the client did not send to the end
	Malformed      int64            `json:"malformed"`       // requests that are not HTTP; answered 400 and counted nowhere else
	Connections    int64            `json:"connections"`     // accepted
	Resumed        int64            `json:"resumed"`         // those of them that resumed a TLS session
	InFlight       int64            `json:"in_flight"`       // begun and not yet answered
	MaxInFlight    int64            `json:"max_in_flight"`
}

func newStats() *stats {
	s := &stats{seed: maphash.MakeSeed()}
	s.forget()
	return s
}

func (s *stats) forget() {
	s.bodies, s.keys = map[uint64]struct{}{}, map[uint64]uint64{}
}

// answered is one request that was read to its end and given a step.
type answered struct {
	step  step
	key   string // bare, "" = none
	body  []byte // decoded
	items int
	size  int64 // as sent
}

// count adds a request, just before its answer is written. From here on it is no longer in flight,
// unless it hangs: a client that has its answer may send the next request before this process gets
// to run again.
func (s *stats) count(a answered) {
	delivered := a.step.delivers()
	var body, key uint64
	if delivered {
		body = maphash.Bytes(s.seed, a.body)
		key = maphash.String(s.seed, a.key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.step.kind != kindHang {
		s.n.InFlight--
	}
	s.n.Requests++
	s.n.Bytes += a.size
	s.codes[a.step.code()]++
	if a.key == "" {
		s.n.MissingKeys++
	}
	if !delivered {
		return
	}
	s.n.Delivered++
	s.n.Items += int64(a.items)
	s.bodies[body] = struct{}{}
	if a.key == "" {
		return
	}
	first, again := s.keys[key]
	if !again {
		s.keys[key] = body
		return
	}
	s.n.Duplicates++
	if first != body {
		s.n.KeyConflicts++
	}
}

// begin and leave mark a request in flight; leave is for one that was not counted, or that hung.
func (s *stats) begin() {
	s.mu.Lock()
	s.n.InFlight++
	s.n.MaxInFlight = max(s.n.MaxInFlight, s.n.InFlight)
	s.mu.Unlock()
}

func (s *stats) leave() { s.add(func(n *counts) { n.InFlight-- }) }

func (s *stats) add(change func(*counts)) {
	s.mu.Lock()
	change(&s.n)
	s.mu.Unlock()
}

func (s *stats) snapshot() counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.n
	n.DistinctBodies, n.DistinctKeys = int64(len(s.bodies)), int64(len(s.keys))
	n.Connections = max(n.Connections, 0)
	n.ByStatus = map[string]int64{}
	for code, times := range s.codes {
		if times > 0 {
			n.ByStatus[labelOf(code)] = times
		}
	}
	return n
}

// reset sets all counts to zero. Requests in flight stay in flight.
func (s *stats) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n = counts{InFlight: s.n.InFlight, MaxInFlight: s.n.InFlight}
	s.codes = [600]int64{}
	s.forget()
}
