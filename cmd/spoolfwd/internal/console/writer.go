package console

import (
	"bytes"
	"context"
	"errors"
	"io"
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

	mu    sync.Mutex // held during a write; guards what follows
	hurry bool
	err   error // once a write was given up
}

// NewWriter returns a Writer to w whose writes may go on for as long as ctx, and then for so long.
func NewWriter(ctx context.Context, w io.Writer, patience time.Duration) *Writer {
	return &Writer{w: w, ctx: ctx, patience: patience}
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
	ended, late := w.ctx.Done(), (<-chan time.Time)(nil)
	if w.hurry {
		late = time.After(w.patience)
	}
	for {
		select {
		case r := <-done:
			return r.n, r.err
		case <-ended:
			ended = nil
			if late == nil {
				late = time.After(w.patience)
			}
		case <-late:
			w.err = ErrStuck
			return 0, w.err
		}
	}
}
