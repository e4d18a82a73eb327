package main

import (
	"context"
	"errors"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// drainer is everything that run and flush need to drain a spool, with the lock
// held.
type drainer struct {
	s           *session
	lock        *breaker.Lock
	breaker     *breaker.Breaker
	spool       *spool.Spool
	transmitter *transmit.Transmitter
	index       *drain.Index
	force       bool               // let one probe through an open breaker
	progress    func(drain.Report) // nil: not wanted
}

// openDrainer opens everything. What is wrong with listener and spool is told at
// once; the lock comes last, so that nothing is created for a run that cannot be.
func (s *session) openDrainer() (*drainer, error) {
	if err := s.cfg.checkBatches(); err != nil {
		return nil, err
	}
	t, errT := s.newTransmitter()
	sp, errS := s.openSpool()
	d := &drainer{s: s, transmitter: t, spool: sp}
	if err := errors.Join(errT, errS); err != nil {
		d.close()
		return nil, err
	}
	var err error
	if d.breaker, d.lock, err = s.holdBreaker(); err != nil {
		d.close()
		return nil, err
	}
	d.index, err = drain.OpenIndex(drain.IndexPath(s.cfg.StateDir, s.cfg.Name))
	s.warn(err)
	return d, nil
}

// close lets go of everything; the lock last.
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

// drain sends what is in the spool and tells what happened.
func (d *drainer) drain(ctx context.Context) *outcome {
	cfg := d.s.cfg
	o := &outcome{s: d.s, byHand: d.progress != nil, started: d.s.env.Now(), before: d.breaker.Stats(d.s.env.Now())}
	limited := ctx
	if cfg.MaxRuntime > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, cfg.MaxRuntime)
		defer cancel()
	}
	var err error
	o.report, err = drain.Run(limited, drain.Config{
		Spool:       d.spool,
		Breaker:     &gate{Breaker: d.breaker, lock: d.lock, force: d.force},
		Transmitter: d.transmitter,
		Index:       d.index,
		Concurrency: cfg.Concurrency,
		BatchItems:  cfg.BatchItems,
		BatchBytes:  int64(cfg.BatchBytes),
		BatchFormat: batchFormat(cfg.BatchFormat),
		MaxAttempts: cfg.MaxAttempts,
		MaxItems:    cfg.MaxItems,
		MaxBytes:    int64(cfg.MaxBytes),
		Count:       cfg.JSON || d.progress != nil,
		Now:         d.s.env.Now,
		Progress:    d.progress,
	})
	now := d.s.env.Now()
	pruned, errPrune := d.spool.PruneRejected(now, cfg.RejectedMaxAge, int64(cfg.RejectedMaxBytes))
	o.pruned = pruned
	o.addFaults(err)
	o.addFaults(o.report.LocalErrors...)
	o.addFaults(errPrune, d.breaker.Save())
	o.after, o.ended = d.breaker.Stats(now), now
	if o.report.Stop == drain.Cancelled {
		o.signal = context.Cause(ctx)
	}
	d.measure(o)
	return o
}

// gate stands between the drain and the breaker. It signs the lock once there is
// something to send, and lets the first request of a forced flush through.
type gate struct {
	*breaker.Breaker
	lock  *breaker.Lock
	force bool
	asked bool
}

// Available asks the breaker, the first time by force if that is wanted.
func (g *gate) Available(now time.Time) bool {
	if !g.asked {
		g.asked = true
		g.lock.Sign(now)
		if g.force {
			g.Force(now)
		}
	}
	return g.Breaker.Available(now)
}

// checkBatches refuses what cannot be put into one request: bytes of any kind
// have no line breaks to be told apart by and are no elements of an array.
func (v *values) checkBatches() error {
	if v.Raw && v.BatchItems > 1 {
		return exit.With(exit.Usage, errors.New("--raw and --batch-items do not go together: only JSON can be batched"))
	}
	return nil
}

func batchFormat(name string) drain.Format {
	if name == "array" {
		return drain.Array
	}
	return drain.NDJSON
}
