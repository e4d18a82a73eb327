package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
)

// spooled is one payload that put has spooled.
type spooled struct {
	Source string `json:"source"` // the file, "-" for standard input
	Name   string `json:"name"`   // in the spool
}

// putCommand spools each operand as one payload file. It goes on after one that is refused, and
// stops when the spool is full.
func putCommand(ctx context.Context, s *session) error {
	sp, err := s.openSpool()
	if err != nil {
		return err
	}
	defer sp.Close()
	var problems []error
	done := []spooled{}
	for _, source := range s.putSources() {
		name, err := s.putOne(ctx, sp, source)
		if err != nil {
			err = putError(source.name, err)
			problems = append(problems, err)
			if exit.Of(err) == exit.SpoolFull || ctx.Err() != nil {
				break
			}
			continue
		}
		done = append(done, spooled{source.name, name})
		if !s.cfg.JSON {
			s.out.Line("%s", name)
		}
	}
	if s.cfg.JSON {
		s.out.JSON(map[string]any{"spooled": done})
	}
	return errors.Join(problems...)
}

// source is a file that put was told to read, or standard input.
type source struct {
	name string // "-" is standard input
	file *os.File
	err  error // of opening it
}

// putSources returns what put reads, in order, the same ones every time.
func (s *session) putSources() []*source {
	if s.sources == nil {
		names := s.operands
		if len(names) == 0 {
			names = []string{"-"}
		}
		for _, name := range names {
			s.sources = append(s.sources, &source{name: name})
		}
	}
	return s.sources
}

// open opens the file, once. A FIFO waits for its writer, as it does for cat.
func (f *source) open(ctx context.Context) error {
	if f.name != "-" && f.file == nil && f.err == nil {
		f.file, f.err = orSignal(ctx, func() (*os.File, error) { return os.Open(f.name) })
	}
	return f.err
}

func (s *session) putOne(ctx context.Context, sp *spool.Spool, source *source) (string, error) {
	cfg := spool.PutConfig{MaxSpoolBytes: s.cfg.Drain.MaxSpoolBytes, MaxSpoolFiles: s.cfg.Drain.MaxSpoolFiles}
	if source.name == "-" {
		if s.env.StdinIsTerminal {
			s.log.Warn("reading a payload from the terminal; end it with Ctrl-D")
		}
		return sp.Put(cfg, s.env.Now(), &cancellableReader{ctx, s.env.Stdin})
	}
	if err := source.open(ctx); err != nil {
		return "", &sourceError{err}
	}
	defer source.file.Close()
	if info, err := source.file.Stat(); err == nil && info.IsDir() {
		return "", &sourceError{fmt.Errorf("%s: %w", source.name, syscall.EISDIR)}
	}
	return sp.Put(cfg, s.env.Now(), &cancellableReader{ctx, source.file})
}

// sourceError is a fault of a file that put was told to read, and not of the spool.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// putError gives the error of one payload its code, and the name of its source if it lacks one.
func putError(source string, err error) error {
	if source == "-" {
		source = "standard input"
	}
	named := fmt.Errorf("%s: %w", source, err)
	var src *sourceError
	switch {
	case errors.Is(err, spool.ErrFull), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return exit.With(exit.SpoolFull, err)
	case errors.Is(err, spool.ErrInvalid):
		return exit.With(exit.Rejected, named)
	case errors.As(err, new(exit.Signalled)):
		return named
	case errors.As(err, &src) && !errors.Is(err, os.ErrPermission):
		return exit.With(exit.Usage, err)
	case errors.As(err, &src):
		return err
	}
	return named
}

// cancellableReader lets a signal end a read that may never end by itself.
type cancellableReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancellableReader) Read(p []byte) (int, error) {
	buf := make([]byte, len(p)) // p is the caller's again when we return
	n, err := orSignal(c.ctx, func() (int, error) { return c.r.Read(buf) })
	copy(p, buf[:n])
	return n, err
}

// orSignal does what may never end by itself. A signal abandons it, since the process is about to
// end.
func orSignal[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), context.Cause(ctx)
	}
}
