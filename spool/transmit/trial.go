package transmit

import (
	"context"
	"errors"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/h1"
)

// trialPause is how long a trial waits for what should not come. It is longer than the round trips
// and the scheduling of any listener worth sending to.
const trialPause = 300 * time.Millisecond

// Trial is the verdict of a request that was made slowly, and what else it showed of the listener.
type Trial struct {
	Verdict
	Early  bool // it answered before it had the whole request
	Twice  bool // something came after its answer
	Closes bool // it keeps no connection for a second request
}

// Try is [Transmitter.Send] for a diagnosis. It makes the request on a connection of its own, and
// pauses before it, before its last byte and after the answer. The body must not be empty.
func (t *Transmitter) Try(ctx context.Context, r Request) Trial {
	if err := r.check(t.head); err != nil {
		return Trial{Verdict: Verdict{Action: Aborted, Err: t.newError(Unknown, err, err.Error())}}
	}
	body := r.Body
	if t.compressor != nil {
		buffer := t.compressor.encode(body)
		defer t.compressor.release(buffer)
		body = buffer.Bytes()
	}
	c, err := t.client.Open(ctx, time.Now().Add(t.timeout+3*trialPause))
	if err != nil {
		return Trial{Verdict: t.failed(ctx, err)}
	}
	seen := h1.Trial{Pause: trialPause}
	var a h1.Answer
	if err := c.Try(ctx, t.appendHead(c.Buffer(), r, len(body)), body, &a, &seen); err != nil {
		return Trial{Verdict: t.failed(ctx, err)}
	}
	v := t.judge(c, &a, r)
	twice := errors.Is(seen.After, h1.ErrUnasked)
	return Trial{Verdict: v, Early: seen.Early, Twice: twice, Closes: seen.After != nil && !twice}
}
