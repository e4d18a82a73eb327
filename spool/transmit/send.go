package transmit

import (
	"context"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// Request is one item, or several of them.
type Request struct {
	Body        []byte // not changed and not kept
	Key         string // the bare text of the Idempotency-Key, printable ASCII; "" sends none
	Host        string // {host} in URL and headers: the identity of the host
	Name        string // {name} in URL and headers: that of the payload file
	ContentType string // "" is that of Config
	Batch       bool   // Body is a batch: a 2xx that says that some items failed delivers nothing

	token string // of the token command
}

// Send makes one request and waits for its verdict, no longer than Config.Timeout. Cancelling ctx
// aborts it, whether or not the listener has taken it already; a context that cannot be cancelled
// costs nothing. If a kept connection or a resumed TLS session turns out to be dead, the request
// goes out once more on a new one, and only that result counts. If this process was stopped before
// anything was sent, Send begins anew, once. A token command is waited for before that; after a 401
// the request goes out again if the command has a newer token.
func (t *Transmitter) Send(ctx context.Context, r Request) Verdict {
	if over(ctx) != nil {
		return t.failed(ctx, nil)
	}
	if err := r.check(t.head); err != nil {
		return Verdict{Action: Aborted, Err: t.newError(Unknown, err, err.Error())}
	}
	body := r.Body
	if t.compressor != nil {
		buffer := t.compressor.encode(body)
		defer t.compressor.release(buffer)
		body = buffer.Bytes()
	}

	if len(t.command.words) > 0 {
		return t.sendWithToken(ctx, r, body)
	}
	return t.sendInTime(ctx, r, body)
}

func (t *Transmitter) sendInTime(ctx context.Context, r Request, body []byte) Verdict {
	limit := time.Now().Add(t.timeout)
	v := t.sendUntil(ctx, limit, r, body)
	if v.Action == Kept && v.Status == 0 && !v.Sent && wasStopped(limit) {
		v = t.sendUntil(ctx, time.Now().Add(t.timeout), r, body)
	}
	return v
}

// wasStopped reports whether the present is so far behind a deadline that this process cannot have
// been running when it passed (SIGSTOP, suspend). A timeout says nothing then about the other side.
func wasStopped(deadline time.Time) bool { return time.Since(deadline) > time.Second }

func (t *Transmitter) sendUntil(ctx context.Context, limit time.Time, r Request, body []byte) Verdict {
	c := t.client.Idle(limit)
	if c == nil {
		var err error
		if c, err = t.client.Open(ctx, limit); err != nil {
			return t.failed(ctx, err)
		}
	}
	v, again := t.exchange(ctx, c, r, body)
	if !again {
		return v
	}
	// The idle connections are likely as dead as this one.
	t.client.DropIdle()
	c, err := t.client.OpenFresh(ctx, limit)
	if err != nil {
		return t.failed(ctx, err)
	}
	v, _ = t.exchange(ctx, c, r, body)
	return v
}

// exchange makes the request on c. again means that c, which was kept or has resumed a TLS session,
// ended as such connections do, and that the request can go out on a fresh one. Such an end says
// nothing about the item or the listener, and v is empty then. It is never true for a fresh
// connection.
//
// Balancers and servers close idle connections, some without a word until the next request comes,
// some with a 408. A few take a TLS session and then close, or answer 421. The request may have
// been taken all the same, so it goes out again only under a key by which the listener recognises
// it, if not a byte of it left, or after a 421, which says that it was not taken.
func (t *Transmitter) exchange(ctx context.Context, c *h1.Conn, r Request, body []byte) (v Verdict, again bool) {
	var a h1.Answer
	reused, resumed := c.Reused(), c.Resumed()
	began := time.Now()
	if err := c.RoundTrip(ctx, t.appendHead(c.Buffer(), r, len(body)), body, &a); err != nil {
		e := err.(*h1.Error)
		if (reused || resumed) && e.Ended && (r.Key != "" || e.Unsent) && over(ctx) == nil {
			return v, true
		}
		return t.failed(ctx, err), false
	}
	late := reused && a.Status == requestTimeout && r.Key != ""
	if (late || resumed && a.Status == misdirected) && over(ctx) == nil {
		c.Fail()
		return v, true
	}
	latency := time.Since(began)
	v = t.judge(c, &a, r)
	v.Latency = latency
	return v, false
}

const (
	requestTimeout = 408 // no request came in time on this connection (RFC 9110 section 15.5.9)
	misdirected    = 421 // this connection is not one for the request (RFC 9110 section 15.5.20)
)

// over returns why ctx ended the request, or nil. A deadline that has passed counts although its
// timer has not fired.
func over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if until, ok := ctx.Deadline(); ok && !time.Now().Before(until) {
		return context.DeadlineExceeded
	}
	return nil
}
