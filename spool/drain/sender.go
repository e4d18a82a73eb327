package drain

import (
	"context"
	"errors"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// ErrOpen says that nothing was sent because the breaker is open.
var ErrOpen = errors.New("the breaker is open")

// A circuit is the breaker's place between a program and its requests: it is asked before each
// request and told of the verdict.
type circuit struct {
	breaker Breaker
	now     func() time.Time
}

// available reports whether a request may be sent. Asking may make the breaker half-open.
func (c circuit) available() bool { return c.breaker.Available(c.now()) }

// record tells the breaker of a verdict. What failed on this machine speaks neither for nor against
// the listener. A result that cannot be saved counts in memory, and the caller saves the breaker
// afterwards: deliveries are what frees a full disk.
func (c circuit) record(v transmit.Verdict) {
	switch v.Action {
	case transmit.Aborted:
	case transmit.Delivered:
		_ = c.breaker.RecordSuccess(c.now())
	default:
		_ = c.breaker.RecordFailure(c.now(), v.RetryAfter)
	}
}

// A Sender sends items that a program has in hand and not in a spool, in the way of a run: it asks
// the breaker, sends, and records the verdict. S is what the breaker says of itself, breaker.Stats.
//
// The caller holds the breaker's lock, and saves the breaker afterwards. A Sender is for one
// goroutine at a time, since a half-open breaker is to see one request.
type Sender[S any] struct {
	Breaker interface {
		Breaker
		Wait(now time.Time) time.Duration
		Stats(now time.Time) S
	}
	Transmitter *transmit.Transmitter
	Now         func() time.Time // default time.Now
}

func (s Sender[S]) circuit() circuit {
	if s.Now == nil {
		s.Now = time.Now
	}
	return circuit{s.Breaker, s.Now}
}

// Send sends one item. While the breaker is open it sends nothing: the verdict is then an aborted
// request, and its error ErrOpen.
func (s Sender[S]) Send(ctx context.Context, r transmit.Request) transmit.Verdict {
	c := s.circuit()
	if !c.available() {
		return transmit.Verdict{Action: transmit.Aborted, Err: ErrOpen}
	}
	v := s.Transmitter.Send(ctx, r)
	c.record(v)
	return v
}

// Sent is what became of several items.
type Sent struct {
	Delivered int
	Failed    int                // with an answer that delivers nothing, or without one
	Verdicts  []transmit.Verdict // of the first items, in order; the others were not sent
	Err       error              // why they were not: ErrOpen, the end of the context, or a fault of this machine
}

// SendBatch sends one item after the other, each in a request of its own. It stops when the breaker
// opens.
func (s Sender[S]) SendBatch(ctx context.Context, items []transmit.Request) (sent Sent) {
	for _, item := range items {
		v := s.Send(ctx, item)
		switch v.Action {
		case transmit.Aborted:
			sent.Err = v.Err
			return sent
		case transmit.Delivered:
			sent.Delivered++
		default:
			sent.Failed++
		}
		sent.Verdicts = append(sent.Verdicts, v)
	}
	return sent
}

// CircuitOpen reports whether Send would send nothing now. Asking changes nothing.
func (s Sender[S]) CircuitOpen() bool { return s.Breaker.Wait(s.circuit().now()) > 0 }

// Stats describes a listener and its breaker at one moment.
type Stats[S any] struct {
	URL     string // without what may be secret
	Timeout time.Duration
	Breaker S
}

// Stats describes the listener and the breaker now.
func (s Sender[S]) Stats() Stats[S] {
	return Stats[S]{s.Transmitter.URL(), s.Transmitter.Timeout(), s.Breaker.Stats(s.circuit().now())}
}
