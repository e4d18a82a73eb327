package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// config is what a server does; the zero value answers 200 to everything.
type config struct {
	Script      script        // default: 200 for ever
	Loop        bool          // begin the script again instead of repeating its last step
	Rules       []rule        // the first that matches a body decides, and the script does not move
	Latency     time.Duration // waited before every step
	Schema      bool          // refuse bodies that are not one JSON object
	Token       string        // bearer token asked for; "" = none
	MaxBody     int64         // larger bodies get a 413; default 64 MiB
	MaxRequests int64         // the server ends after that many; 0 = never
	RecordDir   string        // "" = no record
	TLS         *tls.Config   // nil = plain HTTP
	Log         io.Writer     // one line per request; nil = none
}

// grace is how long requests in flight may take to end when the server does.
const grace = 2 * time.Second

// server answers requests as its configuration says until its context ends.
type server struct {
	config
	player  *player
	stats   *stats
	records *recorder // nil = none
	decoder *decoder

	admitted atomic.Int64 // requests let in, for MaxRequests
	finished atomic.Int64
	end      context.CancelFunc
	fault    atomic.Pointer[error] // the first request that could not be recorded
	logMu    sync.Mutex

	mu    sync.Mutex
	conns map[*conn]struct{}
	wg    sync.WaitGroup
}

func newServer(c config) (*server, error) {
	c.MaxBody = cmp.Or(c.MaxBody, 64<<20)
	if len(c.Script) == 0 {
		c.Script = script{answerWith(200)}
	}
	s := &server{config: c, player: newPlayer(c.Script, c.Loop), stats: newStats(), conns: map[*conn]struct{}{}}
	var err error
	if c.RecordDir != "" {
		if s.records, err = newRecorder(c.RecordDir); err != nil {
			return nil, err
		}
	}
	if s.decoder, err = newDecoder(c.MaxBody); err != nil {
		return nil, err
	}
	return s, nil
}

// serve accepts connections until ctx ends or MaxRequests have been answered, then lets the
// requests in flight end. It closes the listeners. The error is that of the first request that
// could not be recorded.
func (s *server) serve(ctx context.Context, listeners ...net.Listener) error {
	ctx, s.end = context.WithCancel(ctx)
	defer s.end()
	defer s.decoder.close()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		for _, l := range listeners {
			_ = l.Close()
		}
		s.closeIdle()
	}()
	var accepting sync.WaitGroup
	for _, l := range listeners {
		accepting.Go(func() { s.accept(ctx, l) })
	}
	accepting.Wait()
	<-stopped
	kill := time.AfterFunc(grace, s.closeAll)
	defer kill.Stop()
	s.wg.Wait()
	if fault := s.fault.Load(); fault != nil {
		return fmt.Errorf("cannot record: %w", *fault)
	}
	return nil
}

func (s *server) accept(ctx context.Context, l net.Listener) {
	for ctx.Err() == nil {
		raw, err := l.Accept()
		switch {
		case err == nil:
			s.start(ctx, raw)
		case errors.Is(err, net.ErrClosed):
			s.end()
		default: // out of descriptors, or the client is gone already
			pause(ctx, 10*time.Millisecond)
		}
	}
}

func (s *server) start(ctx context.Context, raw net.Conn) {
	s.stats.add(func(n *counts) { n.Connections++ })
	c := newConn(s, raw)
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	s.wg.Go(func() {
		c.serve(ctx)
		_ = c.raw.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	})
}

// closeIdle ends the connections without a request in flight. It is called after the context has
// ended. A connection says that it is idle before it looks at the context, so either closeIdle sees
// an idle connection, or the connection sees that the context has ended.
func (s *server) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if !c.busy.Load() {
			_ = c.raw.Close()
		}
	}
}

func (s *server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.raw.Close()
	}
}

func (s *server) logf(format string, args ...any) {
	if s.Log == nil {
		return
	}
	var line bytes.Buffer
	fmt.Fprintf(&line, format+"\n", args...)
	s.logMu.Lock()
	defer s.logMu.Unlock()
	_, _ = s.Log.Write(line.Bytes())
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
