package drain

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
)

// run is one run under way. Its workers send requests side by side and share its fields.
type run struct {
	cfg     Config
	ctx     context.Context // no work is taken once it has ended
	sendCtx context.Context // of requests, which are allowed to finish
	circuit circuit

	envelope envelope // of items that go as CloudEvents

	working sync.WaitGroup // the workers but the first

	// mu guards everything below and what these fields lead to: the queue with its lines and files,
	// the failures on hold, the report and the index. Every function that needs it held ends in
	// Locked, whatever its type; the others take it themselves. There are two exceptions: search,
	// set, limit and pace are plain values that know no lock, and exported functions are also for
	// callers that have no run. A goroutine that is alone needs no lock: before the workers start,
	// after they have ended, and in Plan. The payload of a file never changes and may be read
	// without it.
	//
	// It is not held while a payload file is read, removed, rewritten or rejected, nor during a
	// request. It is held while a failure is recorded, the index is saved and the next page of a
	// large spool is read, since no worker may get ahead of these.
	mu        sync.Mutex
	queue     queue
	limit     limit
	search    search
	beganWith int // failures in succession when the run began
	untold    int // failures that the breaker hears of if nothing is left to send
	workers   int
	inFlight  int           // requests being filled, sent or settled
	loaded    int64         // bytes claimed for these requests
	reading   int           // files that were taken and whose first item is not counted yet
	taken     int           // items sent or about to be, each counted once
	bytes     int64         // of the items sent
	stopped   bool          // no work is taken; report.Stop says why
	unsynced  bool          // something has left the spool that a power cut could bring back
	onHold    []heldAttempt // failures that speak against their items if others pass after them
	doubted   int           // payloads in doubt that were refused: see doubtsLocked
	report    Report
}

func newRun(ctx context.Context, cfg Config) *run {
	return &run{
		cfg:     cfg,
		ctx:     ctx,
		sendCtx: context.WithoutCancel(ctx),
		circuit: circuit{cfg.Breaker, cfg.Now},
		queue:   queue{index: cfg.Index},
		limit:   newLimit(cfg),
	}
}

// drain is the life of a run.
func (r *run) drain() error {
	// Most runs find an empty spool. They leave before anything is written, which includes the
	// state of an open breaker that would become half-open when asked.
	empty, err := r.cfg.Spool.Empty()
	if err != nil {
		return err
	}
	if empty {
		r.cfg.Index.pruneLocked(r.cfg.Spool)
		r.report.addLocalErrorLocked(r.cfg.Index.Save())
		return nil
	}
	if r.endedLocked() || !r.circuit.available() {
		return r.standBy()
	}
	// Before the first request: a file that could be delivered and not removed would be sent again
	// in every run.
	if err := r.cfg.Spool.Preflight(); err != nil {
		r.report.Stop, r.report.Left = LocalError, -1
		return err
	}
	if err := r.scan(true); err != nil {
		return err
	}
	r.beganWith = r.cfg.Breaker.Failures()
	r.search.failures = r.beganWith
	for _, back := range r.cfg.Spool.Sweep(r.now(), r.queue.page.Leftovers) {
		r.cfg.Index.readmitLocked(back.Name, back.Reason)
	}
	r.cfg.Index.sweep()
	r.cfg.Index.pruneLocked(r.cfg.Spool)
	if err := r.expire(); err != nil {
		return err
	}
	r.queue.lineUpLocked()

	r.workers = 1
	r.work() // the first worker needs no goroutine of its own
	r.working.Wait()

	r.finish()
	return nil
}

// standBy ends a run that may send nothing, since its context has ended or the breaker is open. A
// spool that is bounded needs it most then: the outage is what fills it.
func (r *run) standBy() error {
	r.haltLocked(BreakerOpen)
	r.report.Left = -1
	if !r.cfg.Count && !r.cfg.bounded() {
		return nil
	}
	err := r.scan(false)
	if err == nil {
		err = r.expire()
	}
	r.report.NewlySkipped = r.cfg.Index.addSkippedLocked(r.report.Skipped.Hashes, false)
	r.report.addLocalErrorLocked(r.cfg.Index.Save())
	return err
}

// scan looks at the spool for the first time. overflow is that of [spool.Spool.Scanner].
func (r *run) scan(overflow bool) error {
	r.queue.scanner = r.cfg.Spool.Scanner(r.cfg.PageSize, overflow)
	first, err := r.queue.scanner.Next()
	if err != nil {
		return err
	}
	r.queue.page = first
	r.report.Files, r.report.Left, r.report.LeftBytes = first.Files, first.Files, first.Bytes
	r.report.Oldest, r.report.Skipped = first.Oldest, first.Skipped
	return nil
}

// finish settles what only the end of a run can: files in hand that were not sent to their end, and
// the index.
func (r *run) finish() {
	for _, f := range r.queue.inHandLocked() {
		r.finishFile(f)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellUntoldLocked() // no request was left whose answer could have spoken for the listener
	r.countLastLocked()
	r.report.NewlySkipped = r.cfg.Index.addSkippedLocked(r.report.Skipped.Hashes, r.report.Stop == Drained)
	r.report.addLocalErrorLocked(r.saveIndexLocked())
}

// A worker sends one request after the other. Its fields are its own.
type worker struct {
	r *run

	generation int           // of the limit, when the request was claimed
	number     int           // of the request, among all of the run
	loaded     int64         // bytes claimed for it
	latency    time.Duration // of its answer, or noLatency
	unread     choice        // a file that was taken and is to be read; without a line there is none
	entry      spool.Entry   // of that file
	deliveries []delivery    // the items of the request
	size       int64         // bytes of these items
	batch      []byte        // the body of a request of several items
	buffers    [][]byte      // of payload files, used again and again
}

// work sends requests until there is nothing to send, the run is stopped, or fewer requests may be
// in flight than there are workers. Another worker starts it again when more may.
func (r *run) work() {
	w := &worker{r: r}
	for w.claim() {
		w.fillRequest()
		if len(w.deliveries) > 0 {
			w.deliver(w.deliveries)
		}
		w.release()
	}
}

// release gives up the request's place and starts as many workers as may now be busy.
func (w *worker) release() {
	clear(w.deliveries)
	w.deliveries, w.size = w.deliveries[:0], 0
	r := w.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight--
	r.loaded -= w.loaded
	w.loaded = 0
	r.limit.released(w.number, w.latency)
	if r.stopped {
		return
	}
	for ; r.workers < r.limit.requests; r.workers++ {
		if _, ok := r.chooseLocked(); !ok {
			return
		}
		r.working.Go(r.work)
	}
}

// haltLocked stops the run: no more work is taken. The first reason is the one that is reported.
func (r *run) haltLocked(why Stop) {
	if !r.stopped {
		r.stopped, r.report.Stop = true, why
	}
}

// endedLocked stops the run if its context has ended, and reports whether the run is stopped.
func (r *run) endedLocked() bool {
	switch err := r.ctx.Err(); {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		r.haltLocked(Limit)
	default:
		r.haltLocked(Cancelled)
	}
	return r.stopped
}

// atLimitLocked reports whether no more items may be sent.
func (r *run) atLimitLocked() bool {
	return r.cfg.atLimit(r.taken+r.reading, r.bytes)
}

func (r *run) now() time.Time { return r.cfg.Now() }
