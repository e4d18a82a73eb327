package drain

import (
	"context"
	"errors"
	"sync"
	"time"
)

// run is one drain under way. What is below mu is shared by its workers.
type run struct {
	cfg  Config
	ctx  context.Context // says when to stop taking work
	send context.Context // for requests, which are let end

	wg sync.WaitGroup

	mu       sync.Mutex
	queue    queue
	files    []*file // array files with items still to hand out, oldest first
	window   int     // requests that may be in flight now
	inflight int     // requests being gathered, sent or settled
	batch    int     // items that may be in one request now
	maxBatch int     // items that it may grow to
	era      int     // which each failure ends
	taken    int     // items sent, or being so
	workers  int
	stopped  bool
	bytes    int64 // of items sent
	unsynced bool  // something has left the spool, and a power cut could bring it back
	waiting  []pendingAttempt
	report   Report
}

// pendingAttempt is a failure of which only the end of the run will show whether
// other items were delivered in the same run.
type pendingAttempt struct{ name, key string }

// Run drains the spool until nothing is left that can be sent, the breaker is
// open, a limit is reached or ctx ends. When ctx ends it takes no more work and
// lets the requests in flight end; their results count. The report is valid
// together with an error, which is a fault that kept the run from beginning;
// later faults are in the report.
//
// The caller holds the lock that keeps other runs out, and saves the breaker
// afterwards.
func Run(ctx context.Context, cfg Config) (Report, error) {
	r := &run{cfg: cfg.withDefaults(), ctx: ctx, send: context.WithoutCancel(ctx), window: 1, batch: 1}
	r.maxBatch = r.cfg.BatchItems
	r.queue = queue{index: r.cfg.Index}
	defer r.queue.close()
	err := r.drain()
	return r.report, err
}

func (r *run) drain() error {
	// An empty spool is what most runs find: leave before anything is written,
	// an open breaker that could become half-open included.
	empty, err := r.cfg.Spool.Empty()
	if err != nil || empty {
		if empty {
			r.cfg.Index.prune(r.cfg.Spool)
			r.report.addFault(r.cfg.Index.Save())
		}
		return err
	}
	// There is something to bring to an end from here on; a context that catches
	// signals begins to when it is asked.
	_ = r.ctx.Err()
	if !r.cfg.Breaker.Available(r.cfg.Now()) {
		r.report.Stop, r.report.Left = BreakerOpen, -1
		if !r.cfg.Count {
			return nil
		}
		err := r.scan(false)
		r.report.News = r.cfg.Index.skip(r.report.Skipped.Hashes, false)
		r.report.addFault(r.cfg.Index.Save())
		return err
	}
	if err := r.cfg.Spool.Preflight(); err != nil {
		r.report.Stop, r.report.Left = Fault, -1
		return err
	}
	if err := r.scan(true); err != nil {
		return err
	}
	r.cfg.Spool.Sweep(r.cfg.Now(), r.queue.window.Leftovers)
	r.cfg.Index.sweep()
	r.cfg.Index.prune(r.cfg.Spool)

	r.workers = 1
	r.work() // one worker needs no goroutine of its own
	r.wg.Wait()
	r.finish()
	return nil
}

// scan looks at the spool; overflow, as for a Scanner.
func (r *run) scan(overflow bool) error {
	r.queue.scanner = r.cfg.Spool.Scanner(r.cfg.PageSize, overflow)
	if err := r.queue.refill(); err != nil {
		return err
	}
	w := r.queue.window
	r.report.Files, r.report.Left, r.report.LeftBytes = w.Files, w.Files, w.Bytes
	r.report.Oldest, r.report.Skipped = w.Oldest, w.Skipped
	return nil
}

// finish settles what only the end of the run can: array files that were not
// sent to their end, attempts that count after all, the index, durability.
func (r *run) finish() {
	for _, f := range r.files {
		r.settleFile(f)
	}
	if r.report.Delivered > 0 {
		for _, p := range r.waiting {
			r.cfg.Index.count(p.name, p.key)
		}
	}
	r.report.News = r.cfg.Index.skip(r.report.Skipped.Hashes, r.report.Stop == Drained)
	r.report.addFault(r.saveIndex())
}

// halt ends the run: no more work is taken. The first reason is the one.
func (r *run) halt(why Stop) {
	if !r.stopped {
		r.stopped, r.report.Stop = true, why
	}
}

// ended translates the end of the context.
func (r *run) ended() (why Stop, ended bool) {
	err := r.ctx.Err()
	switch {
	case err == nil:
		return 0, false
	case errors.Is(err, context.DeadlineExceeded):
		return Limit, true
	}
	return Cancelled, true
}

func (r *run) atLimit() bool {
	return r.cfg.MaxItems > 0 && r.taken >= r.cfg.MaxItems ||
		r.cfg.MaxBytes > 0 && r.bytes >= r.cfg.MaxBytes
}

func (r *run) now() time.Time { return r.cfg.Now() }
