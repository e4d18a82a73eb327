package h1

import (
	"context"
	"io"
	"time"
)

// Trial is what a slow exchange shows of a peer. A quick one takes the words of a peer that does
// not listen for the answer.
type Trial struct {
	Pause time.Duration // before the request, before its last byte, and after the answer
	Early bool          // the answer came before the whole request was sent
	After error         // nil: the connection can be used again; ErrUnasked: more than one answer came
}

// Try is RoundTrip on a new connection with pauses, for a request with a body. [Conn.Finish] ends
// the trial, and closes the connection.
func (c *Conn) Try(ctx context.Context, head, body []byte, a *Answer, trial *Trial) error {
	c.head, c.trial = head, trial
	c.abortWith(ctx)
	stage, err := c.try(body, a)
	if err != nil {
		c.disarm()
		c.Close()
		return &Error{Stage: stage, Err: err, Unsent: stage < Sending, Ended: isGone(err)}
	}
	return nil
}

func (c *Conn) try(body []byte, a *Answer) (Stage, error) {
	if err := c.lookFor(c.trial.Pause); err != nil {
		return Receiving, err
	}
	last := len(body) - 1
	if _, err := c.write(body[:last]); err != nil {
		return Sending, err
	}
	switch err := c.lookFor(c.trial.Pause); err {
	case nil:
		if _, err := c.out.Write(body[last:]); err != nil {
			return Sending, err
		}
	case ErrUnasked:
		c.trial.Early = true
	default:
		return Receiving, err
	}
	*a = Answer{expect: c.client.Expect}
	return Receiving, a.read(c.in)
}

// finishTrial waits for what comes after the answer.
func (c *Conn) finishTrial(a *Answer, excerpt []byte) []byte {
	excerpt, clean := a.readBody(c.in, excerpt)
	c.trial.After = io.EOF
	if clean {
		c.trial.After = c.lookFor(c.trial.Pause)
	}
	c.disarm()
	c.Close()
	return excerpt
}
