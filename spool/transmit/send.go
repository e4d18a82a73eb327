package transmit

import (
	"context"
	"errors"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// Request is one item.
type Request struct {
	Body        []byte // not changed and not kept
	Key         string // the bare text of the Idempotency-Key, printable ASCII; "" sends none
	ContentType string // "" is that of Config
}

// Send makes one request and waits for its verdict, no longer than Config.Timeout. Cancelling ctx
// aborts it, whether or not the listener has taken it already; a context that cannot be cancelled
// costs nothing.
func (t *Transmitter) Send(ctx context.Context, r Request) Verdict {
	if over(ctx) != nil {
		return t.failed(ctx, nil)
	}
	if err := r.check(); err != nil {
		return Verdict{Action: Aborted, Err: t.newError(Unknown, err, err.Error())}
	}
	limit := time.Now().Add(t.timeout)
	body := r.Body
	if t.compressor != nil {
		buffer := t.compressor.encode(body)
		defer t.compressor.release(buffer)
		body = buffer.Bytes()
	}

	if c := t.client.Idle(limit); c != nil {
		v, again := t.exchange(ctx, c, r, body)
		if !again {
			return v
		}
		// The other idle connections are likely as dead as this one.
		t.client.DropIdle()
	}
	c, err := t.client.Open(ctx, limit)
	if err != nil {
		return t.failed(ctx, err)
	}
	v, _ := t.exchange(ctx, c, r, body)
	return v
}

// exchange makes the request on c. again means that c was found closed, that the listener got
// nothing of the request, and that it can go out on another connection; v says nothing then.
func (t *Transmitter) exchange(ctx context.Context, c *h1.Conn, r Request, body []byte) (v Verdict, again bool) {
	var a h1.Answer
	reused := c.Reused()
	if err := c.RoundTrip(ctx, t.appendHead(c.Buffer(), r, len(body)), body, &a); err != nil {
		var e *h1.Error
		if reused && errors.As(err, &e) && e.Ended {
			if e.Unsent && over(ctx) == nil {
				return v, true
			}
			t.client.DropIdle() // the same end awaits the others
		}
		return t.failed(ctx, err), false
	}
	return t.judge(c, &a), false
}

// over returns why ctx ended the request, or nil. A deadline that has passed counts although its timer
// has not fired.
func over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if until, ok := ctx.Deadline(); ok && !time.Now().Before(until) {
		return context.DeadlineExceeded
	}
	return nil
}
