package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"sync"
	"time"
)

// ErrStuck says that nobody reads what is written: a pipe is full, or a terminal is paused.
var ErrStuck = errors.New("nobody reads it")

// Writer is an output stream that may lead to a reader who does not read. A person who leafs
// through a long list may take all the time; but nobody can keep the program from ending after a
// signal, nor, once it hurries, from going on. A stream that was given up stays so: what is written
// to it later is lost at once.
type Writer struct {
	w        io.Writer
	ctx      context.Context
	patience time.Duration
	grace    time.Duration // after a signal

	mu    sync.Mutex // held during a write; guards what follows
	hurry bool
	err   error // once a write was given up
}

// NewWriter returns a Writer to w. patience is how long a write may take in a hurry. A write in
// which ctx ends, or that begins after it, may take another second.
func NewWriter(ctx context.Context, w io.Writer, patience time.Duration) *Writer {
	return &Writer{w: w, ctx: ctx, patience: patience, grace: min(patience, time.Second)}
}

// Hurry bounds every write from now on.
func (w *Writer) Hurry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hurry = true
}

// Write writes text, or gives the stream up. It abandons a write that does not end: no system call
// ends it, and the process is about to.
func (w *Writer) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	type result struct {
		n   int
		err error
	}
	// The abandoned write needs a text of its own: this one is the caller's again when we return.
	own, done := bytes.Clone(text), make(chan result, 1)
	go func() {
		n, err := w.w.Write(own)
		done <- result{n, err}
	}()
	limit := time.Duration(math.MaxInt64)
	if w.hurry {
		limit = w.patience
	}
	begin, late, ended := time.Now(), time.NewTimer(limit), w.ctx.Done()
	defer late.Stop()
	for {
		select {
		case r := <-done:
			return r.n, r.err
		case <-ended:
			ended = nil
			late.Reset(min(limit-time.Since(begin), w.grace))
		case <-late.C:
			w.err = ErrStuck
			return 0, w.err
		}
	}
}
