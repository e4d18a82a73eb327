package drain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// Run drains the spool until nothing is left that can be sent, the breaker is open, a limit is
// reached or ctx ends. When ctx ends, Run takes no more work and lets the requests in flight end;
// their results count. An error keeps the run from beginning or cuts its first look at the spool
// short; the report is valid together with it. Later errors of this machine are in
// [Report.LocalErrors].
//
// The caller holds the lock that keeps other runs out, and saves the breaker afterwards.
func Run(ctx context.Context, cfg Config) (Report, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return Report{}, err
	}
	r := newRun(ctx, cfg)
	if cfg.BatchFormat == CloudEvents {
		dir, err := filepath.Abs(cfg.Spool.Dir())
		if err != nil {
			return Report{}, err
		}
		r.envelope = newEnvelope(cfg.Spool.HostID(), dir, cfg.EventType)
	}
	defer r.queue.close()
	err := r.drain()
	return r.report, err
}

// A Breaker decides whether requests may be sent and is told how they went. The errors say that its
// state could not be saved. They end no run and are not in the report: the caller saves the breaker
// afterwards and hears then whether that is still so. Failures is the number of failures in
// succession, those of earlier runs included. FailureThreshold is the number of them that opens the
// breaker.
type Breaker interface {
	Available(now time.Time) bool
	Failures() int
	FailureThreshold() int
	RecordSuccess(now time.Time) error
	RecordFailure(now time.Time, retryAfter time.Duration) error
}

// A Transmitter turns one item, or one batch of items, into one request and one verdict. The
// verdict's latency says how many requests the listener takes; 0 means any number.
type Transmitter interface {
	Send(ctx context.Context, r transmit.Request) transmit.Verdict
}

// Config is what a run drains, whereto, and within which limits.
type Config struct {
	Spool       *spool.Spool
	Breaker     Breaker
	Transmitter Transmitter
	Index       *Index // nil: nothing is remembered

	// Concurrency is how many requests may be in flight, 1024 or fewer; 1 keeps strict order.
	// Default 0: as many as the listener takes without queueing them, up to MaxConcurrency.
	Concurrency    int
	MaxConcurrency int // default 64; 1024 or fewer

	BatchItems  int    // items in one request at most, 100,000 or fewer; default 1: each item is its own POST; not for a raw spool
	BatchBytes  int64  // bytes of items in one request at most, unless one alone has more; 0 means no limit
	BatchFormat Format // how a request holds several items; default NDJSON
	EventType   string // of each item as one of CloudEvents; default "spoolfwd.item"

	MaxAttempts int   // counted failures after which a payload is rejected; default 10; negative: never
	MaxItems    int   // items sent before the run ends; 0 means no limit
	MaxBytes    int64 // bytes of items sent before the run ends; 0 means no limit
	PageSize    int   // entries held in memory; default spool.DefaultPageSize

	// Bounds of the spool; 0 means no limit. Payload files beyond them expire: before the first
	// request, and also when the breaker is open, the oldest are moved to rejected/.
	MaxAge        time.Duration
	MaxSpoolBytes int64
	MaxSpoolFiles int

	// Count makes a run that finds the breaker open count the backlog all the same. It costs one
	// stat per payload file.
	Count bool

	Now func() time.Time // default time.Now

	// Progress, when set, is called after every request with the report so far. Calls do not
	// overlap.
	Progress func(Report)
}

// DefaultConfig returns the values that zero fields of a Config stand for. Only BatchBytes is more
// than its zero, which means no limit: a program that batches wants one.
func DefaultConfig() Config {
	return Config{MaxConcurrency: 64, BatchItems: 1, BatchBytes: 1 << 20, EventType: "spoolfwd.item", MaxAttempts: 10}
}

func (c Config) withDefaults() Config {
	d := DefaultConfig()
	c.MaxConcurrency = cmp.Or(c.MaxConcurrency, d.MaxConcurrency)
	c.BatchItems = cmp.Or(c.BatchItems, d.BatchItems)
	c.EventType = cmp.Or(c.EventType, d.EventType)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, d.MaxAttempts)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Index == nil {
		c.Index = &Index{}
	}
	return c
}

// check judges a Config with its defaults put in.
func (c Config) check() error {
	concurrency := cmp.Or(c.Concurrency, c.MaxConcurrency)
	if err := CheckConcurrency(concurrency); err != nil {
		return fmt.Errorf("concurrency %d: %w", concurrency, err)
	}
	if err := CheckBatchItems(c.BatchItems, c.Spool.Raw()); err != nil {
		return fmt.Errorf("batch of %d items: %w", c.BatchItems, err)
	}
	if err := CheckBatchFormat(c.BatchFormat, c.Spool.Raw()); err != nil {
		return fmt.Errorf("batch format: %w", err)
	}
	return nil
}

// CheckConcurrency judges Config.Concurrency, unless it is 0, and Config.MaxConcurrency.
func CheckConcurrency(n int) error { return checkBetween(n, 1024) }

// CheckBatchItems judges Config.BatchItems, with its default put in. raw is that of the spool.
func CheckBatchItems(n int, raw bool) error {
	// Bytes of any kind have no line breaks that tell them apart, and are not elements of an array.
	if raw && n > 1 {
		return errors.New("only JSON can be batched")
	}
	return checkBetween(n, 100_000)
}

func checkBetween(n, most int) error {
	if n < 1 || n > most {
		return fmt.Errorf("must be between 1 and %d", most)
	}
	return nil
}

func (c Config) batches() bool { return c.BatchItems > 1 }

// atLimit reports whether no more may be sent after so many items and bytes.
func (c Config) atLimit(items int, bytes int64) bool {
	return c.MaxItems > 0 && items >= c.MaxItems || c.MaxBytes > 0 && bytes >= c.MaxBytes
}
