package jetstream

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// pause is between two attempts of one Send. Electing a leader takes some seconds.
const pause = 250 * time.Millisecond

// Send publishes one item and waits for its verdict, no longer than Config.Timeout. Cancelling ctx
// aborts it, whether or not the stream has taken the item already.
func (t *Transmitter) Send(ctx context.Context, r transmit.Request) transmit.Verdict {
	if err := t.base.Check(r); err != nil {
		return transmit.Verdict{Action: transmit.Aborted, Err: t.base.Error(transmit.Unknown, 0, err, err.Error())}
	}
	limited, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	m := t.message(r)
	for {
		v, wait := t.publish(ctx, limited, m)
		if wait < 0 {
			return v
		}
		select {
		case <-time.After(wait):
		case <-limited.Done():
		}
		switch {
		case ctx.Err() != nil:
			return t.base.Failed(ctx, h1.Receiving, ctx.Err())
		case limited.Err() != nil:
			return v
		}
	}
}

// message makes the message for an item.
func (t *Transmitter) message(r transmit.Request) *nats.Msg {
	m := &nats.Msg{Subject: t.target.Subject.With(r, token), Data: r.Body, Header: nats.Header{}}
	for name, value := range t.base.Headers(r) {
		m.Header.Add(name, value)
	}
	m.Header.Set("Content-Type", cmp.Or(r.ContentType, t.base.ContentType))
	if r.Key != "" {
		m.Header.Set(nats.MsgIdHdr, r.Key)
	}
	return m
}

// final is the wait of a verdict that stands.
const final time.Duration = -1

// publish publishes a message once. A wait that is not negative says that nothing was stored, and
// that the message may be published again after it.
func (t *Transmitter) publish(ctx, limited context.Context, m *nats.Msg) (v transmit.Verdict, wait time.Duration) {
	l, err := t.connected(limited)
	if err != nil {
		return t.notConnected(ctx, err), final
	}
	began := time.Now()
	reply, sent, err := l.request(limited, m)
	switch {
	case err == nil:
		v, a, wait := t.judge(reply)
		latency := time.Since(began)
		if errors.Is(v.Err, errKnown) {
			v, wait = t.settleKnown(limited, l, a.Stream, m.Subject, v)
		}
		v.Latency = latency
		return v, wait
	case errors.Is(err, errUnsent) && limited.Err() == nil:
		return t.lost(err, false), pause / 10
	case errors.Is(err, nats.ErrMaxPayload):
		return t.tooLarge(l.nc.MaxPayload()), final
	case limited.Err() != nil:
		t.leave(l) // the connection may be dead
		return t.unanswered(ctx, err), final
	}
	if errors.Is(err, nats.ErrPermissionViolation) {
		err := t.base.Error(transmit.NATSPublishDenied, 0, err, "the user may not publish to the subject")
		return transmit.Verdict{Err: err}, final
	}
	return t.lost(err, sent), final
}

// leave has the next request make a connection.
func (t *Transmitter) leave(l *link) {
	t.mu.Lock()
	if t.link == l {
		t.link = nil
	}
	t.mu.Unlock()
	l.retire()
}

// token encodes a name so that it is one part of a subject, whatever it holds.
func token(name string) string {
	return strings.ReplaceAll(transmit.PercentEncode(name), ".", "%2E")
}
