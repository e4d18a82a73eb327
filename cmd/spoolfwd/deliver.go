package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/console"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// drainer is everything that run and flush need to drain a spool, with the lock held.
type drainer struct {
	s           *session
	lock        *breaker.Lock
	breaker     *breaker.Breaker
	spool       *spool.Spool
	transmitter transmitter
	index       *drain.Index
	byHand      bool               // for a person who looks on: flush
	force       bool               // let one probe through an open breaker
	progress    func(drain.Report) // nil: not wanted
}

// openDrainer opens everything. Faults of listener and spool are reported together. The lock comes
// last, so that nothing is created for a run that cannot begin.
func (s *session) openDrainer() (*drainer, error) {
	t, errT := s.transmitter, s.errTransmitter
	s.keepHostID()
	sp, errS := s.openSpool()
	d := &drainer{s: s, transmitter: t, spool: sp}
	if err := errors.Join(errT, errS); err != nil {
		d.close()
		return nil, err
	}
	var err error
	if d.breaker, d.lock, err = s.holdBreaker(); err == nil {
		err = s.holdSpool(sp)
	}
	if err != nil {
		d.close()
		return nil, err
	}
	s.tellRestored(d.breaker)
	d.index, err = drain.OpenIndex(drain.IndexPath(s.cfg.Breaker.StateDir, s.cfg.Breaker.Name))
	s.warn(err)
	poster, isHTTP := t.(*transmit.Transmitter)
	if sessions := sessionFileFor(s.cfg.Breaker); isHTTP && s.cfg.TLSResume {
		poster.ResumeFrom(sessions)
	} else {
		logError(s.log, slog.LevelDebug, sessions.Save(nil))
	}
	return d, nil
}

// close closes everything and releases the lock last.
func (d *drainer) close() {
	if d.transmitter != nil {
		d.transmitter.Close()
	}
	if d.spool != nil {
		d.spool.Close()
	}
	if d.lock != nil {
		d.lock.Release()
	}
}

// limit returns ctx as --max-runtime bounds it, and the time until which a run may wait for a
// probe. What a run has spent on waiting is no longer there for sending.
func (s *session) limit(ctx context.Context) (limited context.Context, waitUntil time.Time, cancel func()) {
	now := s.env.Now()
	if s.cfg.MaxRuntime == 0 {
		return ctx, now.Add(s.cfg.Wait), func() {}
	}
	limited, cancel = context.WithTimeout(ctx, s.cfg.MaxRuntime)
	return limited, now.Add(min(s.cfg.Wait, s.cfg.MaxRuntime)), cancel
}

// waitForProbe waits until an open breaker lets a probe through, or ctx ends. It does not wait when
// the probe is due after the deadline. Without it, a timer of one minute and a retry timeout of one
// minute would probe every second minute only, because each run would come a moment too early. The
// lock stays held: a run in the meantime would do what this one waits for. The drain that follows
// finds out how things are then.
func (d *drainer) waitForProbe(ctx context.Context, deadline time.Time) {
	s := d.s
	wait := d.breaker.Wait(s.env.Now())
	if d.force || wait == 0 || s.cfg.Wait == 0 || s.env.Now().Add(wait).After(deadline) {
		return
	}
	if empty, err := d.spool.Empty(); err != nil || empty {
		return
	}
	d.lock.Sign(s.env.Now())
	s.catchSignals()
	level := slog.LevelInfo
	if d.byHand {
		level = console.LevelNotice
	}
	s.log.Log(ctx, level, fmt.Sprintf("the breaker is open, waiting %s for it", console.Duration(wait)))
	_ = s.env.Wait(ctx, wait)
}

// drain sends what is in the spool, until ctx ends.
func (d *drainer) drain(ctx context.Context) *outcome {
	cfg := d.s.cfg
	o := &outcome{s: d.s, byHand: d.byHand, started: d.s.env.Now(), before: d.breaker.Stats(d.s.env.Now())}
	c := cfg.Drain
	c.Spool, c.Transmitter, c.Index = d.spool, d.transmitter, d.index
	c.Breaker = &gate{Breaker: d.breaker, s: d.s, lock: d.lock, force: d.force}
	c.Count = cfg.JSON || d.byHand
	c.Now, c.Progress = d.s.env.Now, d.progress
	if c.Concurrency == 1 {
		defer useOneProcessor()()
	}
	var err error
	o.report, err = drain.Run(ctx, c)
	now := d.s.env.Now()
	pruned, errPrune := d.spool.PruneRejected(now, cfg.RejectedMaxAge, cfg.RejectedMaxBytes)
	o.pruned = pruned
	o.addFaults(err)
	o.addFaults(o.report.LocalErrors...)
	if failed := o.report.LastFailure; failed != nil {
		d.breaker.NoteFailure(itemName(failed.Name, failed.Item) + ": " + failed.Error.Error())
	}
	o.addFaults(errPrune, d.breaker.Save())
	if poster, isHTTP := d.transmitter.(*transmit.Transmitter); isHTTP {
		logError(d.s.log, slog.LevelDebug, poster.KeepSession())
	}
	o.after, o.ended = d.breaker.Stats(now), now
	if o.report.Stop == drain.Cancelled {
		o.signal = context.Cause(ctx)
	}
	d.measure(o)
	o.leave()
	return o
}

// useOneProcessor keeps the Go scheduler to one processor until the function that it returns is
// called. A run with one request in flight has one goroutine at work. With a second processor, each
// answer would move that goroutine to another thread, and wake one more that looks for work in
// vain.
func useOneProcessor() (undo func()) {
	before := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(before) }
}

// gate stands between the drain and the breaker. When there is something to send, it signs the lock
// and catches signals: a run that finds an empty spool is spared both, and a signal that ends it at
// once leaves nothing undone. The gate lets the first request of a forced flush through, and tells
// of a probe.
type gate struct {
	*breaker.Breaker
	s     *session
	lock  *breaker.Lock
	force bool
	asked bool
}

// Available asks the breaker. The first time of a forced flush it asks by force.
func (g *gate) Available(now time.Time) bool {
	if !g.asked {
		g.asked = true
		g.lock.Sign(now)
		g.s.catchSignals()
		if g.force {
			g.Force(now)
		}
	}
	before := g.State()
	available := g.Breaker.Available(now)
	if before == breaker.Open && available {
		g.s.tellProbe(g.Breaker)
	}
	return available
}
