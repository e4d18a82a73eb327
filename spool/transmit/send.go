package transmit

import (
	"context"
	"errors"
	"io"
	"syscall"
	"time"
)

// grace is how long an answer may take once the listener has not read the whole request in time: it may have answered
// long ago and be waiting.
const grace = 100 * time.Millisecond

// Request is one item.
type Request struct {
	Body        []byte // not changed and not kept
	Key         string // the bare text of the Idempotency-Key, printable ASCII; "" sends none
	ContentType string // "" is that of Config
}

// Verdict is what came of a request.
type Verdict struct {
	Action     Action
	Status     int           // 0: no answer
	Sent       bool          // without an answer: some of the request may have reached the listener
	RetryAfter time.Duration // more than 0 only for a 429 or 503 that asks for it
	Excerpt    []byte        // the beginning of the answer's body, at most 2 KiB, as it came but for secrets; nil when delivered
	Err        error         // nil when delivered; one sentence without secrets, a hint as second line, the same for the same cause
}

// Send makes one request and waits for its verdict, no longer than Config.Timeout. Cancelling ctx aborts it, whether or
// not the listener has taken it already; a context that cannot be cancelled costs nothing.
func (t *Transmitter) Send(ctx context.Context, r Request) Verdict {
	if over(ctx) != nil {
		return t.failed(ctx, connecting, nil)
	}
	if err := r.check(); err != nil {
		return Verdict{Action: Aborted, Err: t.errorf(err, "", "%v", err)}
	}
	limit := time.Now().Add(t.timeout)
	body := r.Body
	if t.compressor != nil {
		buffer := t.compressor.encode(body)
		defer t.compressor.release(buffer)
		body = buffer.Bytes()
	}

	c := t.idle.take(limit)
	if c != nil {
		v, unsent := t.exchange(ctx, c, r, body)
		if !unsent {
			return v
		}
		// The listener closed this connection between the look at it and the write, and not a byte was taken. With a
		// new connection this is still the first request on the wire. The other idle ones are likely as dead.
		t.idle.empty()
	}
	c, at, err := t.open(ctx, limit)
	if err != nil {
		return t.failed(ctx, at, err)
	}
	v, _ := t.exchange(ctx, c, r, body)
	return v
}

// exchange writes the request, reads the answer, and keeps or closes c. unsent means that c was found closed and that
// the request can go out on another connection; v says nothing then.
func (t *Transmitter) exchange(ctx context.Context, c *conn, r Request, body []byte) (v Verdict, unsent bool) {
	watch := abortWith(ctx, c.raw)
	defer watch.stop()
	reused := c.used
	c.used = true
	c.out = t.appendHead(c.out[:0], r, len(body))
	n, writeErr := c.write(body)
	if writeErr != nil {
		switch {
		case over(ctx) != nil || ownFault(writeErr):
			defer c.close()
			return t.failed(ctx, sending, writeErr), false
		case reused && n == 0 && isGone(writeErr):
			c.close()
			return v, true
		case isTimeout(writeErr):
			c.raw.SetReadDeadline(time.Now().Add(grace))
		}
		// A listener that refuses a payload early answers, closes, and resets what is still being written. The
		// answer is there to be read.
	}

	var a answer
	if err := a.read(c.br); err != nil {
		c.close()
		if reused && isGone(err) {
			t.idle.empty() // the same end awaits the others
		}
		if writeErr != nil && (isGone(err) || isTimeout(err)) {
			return t.failed(ctx, sending, writeErr), false
		}
		return t.failed(ctx, receiving, err), false
	}
	v.Status, v.Action = a.status, t.actions.of(a.status)
	partial := v.Action == Delivered && writeErr != nil
	if partial {
		v.Action = Kept // it cannot have been taken: it was not sent
	}
	var clean bool
	var excerpt []byte
	if v.Action != Delivered {
		excerpt = make([]byte, 0, maxExcerpt)
	}
	excerpt, clean = a.readBody(c.br, excerpt)
	if watch.stop() && clean && writeErr == nil && c.br.Buffered() == 0 {
		t.idle.put(c)
	} else {
		c.close()
	}
	if v.Action != Delivered {
		t.explain(&v, &a, excerpt, partial)
	}
	return v, false
}

// over returns why ctx ended the request, or nil. A deadline that has passed counts although its timer has not fired.
func over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if until, ok := ctx.Deadline(); ok && !time.Now().Before(until) {
		return context.DeadlineExceeded
	}
	return nil
}

// isGone reports whether err is a connection that the other side has ended.
func isGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
}
