package breaker

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
)

// Breaker is a circuit breaker and its state file. Its methods may be called from several goroutines; a call that saves
// makes the others wait for the disk. The time passed in is the caller's wall clock.
type Breaker struct {
	config Config
	rules  rules
	file   statefile.File

	mu        sync.Mutex
	memory    memory
	saved     memory // what the file says; differs from memory when something is unsaved
	others    otherKeys
	readOnly  bool
	saveError error
}

// New checks the configuration, and touches no file. Every problem found is in the error, one per line. Until Open or Peek
// the breaker is closed, and a save replaces the file.
func New(c Config) (*Breaker, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	file := statefile.File{Path: filepath.Join(c.StateDir, c.Name+".state"), MaxSize: maxFileSize}
	return &Breaker{config: c, rules: c.rules(), file: file}, nil
}

// StatePath is the state file.
func (b *Breaker) StatePath() string { return b.file.Path }

// LockPath is the file that a caller locks before Open. The breaker itself never touches it.
func (b *Breaker) LockPath() string { return filepath.Join(b.config.StateDir, b.config.Name+".lock") }

// Open loads the state file for a run that holds the lock: it removes leftovers of killed saves, sets a bad file aside, and
// saves the correction of times in the future. The breaker is usable afterwards in every case. An error is an *Anomaly,
// for one warning; an absent file is none. Whether the correction could be saved is for SaveError to say.
func (b *Breaker) Open(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readOnly = false
	b.file.Sweep()
	err := b.load(now)

	held, was := b.memory, b.saved
	if held.state == Open && (held.openedAt != was.openedAt || held.notBefore != was.notBefore) && b.save() != nil {
		// The next run would find the same time in the future and hold for another whole timeout, and so on until the
		// clock has caught up, in a year perhaps.
		b.memory = held.elapsed()
	}

	var anomaly *Anomaly
	if errors.As(err, &anomaly) && statefile.IsSpoiled(anomaly.Cause) {
		anomaly.KeptAs, anomaly.KeepError = b.file.SetAside()
	}
	return err
}

// Peek loads the state file for a caller that only looks and holds no lock. Nothing changes on disk, now or later: until
// Open, a breaker that was peeked at keeps its transitions to itself. Errors are those of Open.
func (b *Breaker) Peek(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readOnly = true
	return b.load(now)
}

func (b *Breaker) load(now time.Time) error {
	m, others, err := b.read()
	b.saved, b.others, b.saveError = m, others, nil
	b.memory = b.rules.step(m, event{kind: looked}, momentOf(now))
	if err != nil {
		return &Anomaly{Path: b.StatePath(), Cause: err}
	}
	return nil
}

// Available reports whether a request may go. It turns an open breaker whose hold is over into a half-open one, and saves
// that before it returns; the answer is true even if the save fails, because deliveries are what may free a full disk (see
// SaveError). The probe is not claimed: a half-open breaker is available until a result is recorded.
func (b *Breaker) Available(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.memory.state
	b.happen(event{kind: asked}, now)
	if b.memory.state != before {
		_ = b.save() // kept for SaveError
	}
	return b.memory.state != Open
}

// RecordSuccess reports a request that was answered with a 2xx. An error means that closing the breaker could not be saved;
// it is closed all the same. The reset of the count of a closed breaker waits for Save.
func (b *Breaker) RecordSuccess(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.memory.state
	b.happen(event{kind: succeeded}, now)
	if b.memory.state == before {
		return nil
	}
	return b.save()
}

// RecordFailure reports a request that failed. A positive retryAfter, from the Retry-After of the answer (RFC 9110, section
// 10.2.3), opens the breaker at once and holds it that long or MaxRetryAfter, whichever is shorter, if that is later than
// the end of the retry timeout. An error means that the failure could not be saved; it counts in memory all the same, but
// the caller should stop sending, because the next run will not know.
func (b *Breaker) RecordFailure(now time.Time, retryAfter time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.happen(event{kind: failed, hold: spanOf(max(retryAfter, 0))}, now)
	return b.save()
}

// Reset closes the breaker and clears everything. It saves even if nothing changed, so that it mends a file that could not
// be read.
func (b *Breaker) Reset(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.happen(event{kind: reset}, now)
	return b.save()
}

// Trip opens the breaker by hand for exactly hold, MaxRetryAfter or not, but at most 100 years; 0 or less is one retry
// timeout. The probe that follows decides as ever.
func (b *Breaker) Trip(now time.Time, hold time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.happen(event{kind: tripped, hold: spanOf(max(hold, 0))}, now)
	return b.save()
}

// Force lets a probe pass before its time. It changes nothing on disk, and nothing at all for a breaker that lets requests
// pass: until the probe's result is recorded the hold is in the file as it was, so that a kill does not end it. Success closes
// the breaker. Failure opens it anew and holds it at least as long as before, a trip as a trip. Without a result, Save takes
// Force back.
func (b *Breaker) Force(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.happen(event{kind: forced}, now)
}

// Save writes the state if something is unsaved or the last save failed, and does nothing at all if not. It belongs at the
// end of a run.
func (b *Breaker) Save() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.memory = b.memory.settled()
	// After a failed save nobody knows what is on disk: it may have got as far as the rename.
	if b.memory == b.saved && b.saveError == nil {
		return nil
	}
	return b.save()
}

// SaveError is the error of the last save, nil if it succeeded or if there was none since the file was loaded.
func (b *Breaker) SaveError() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.saveError
}

// happen must be called with mu held, like save.
func (b *Breaker) happen(e event, now time.Time) {
	b.memory = b.rules.step(b.memory, e, momentOf(now))
}

func (b *Breaker) save() error {
	if b.readOnly {
		return nil
	}
	b.saveError = nil
	if err := b.file.Write(encode(b.memory, b.others)); err != nil {
		b.saveError = fmt.Errorf("cannot save breaker state %s: %w", b.file.Path, err)
		return b.saveError
	}
	b.saved = b.memory
	return nil
}
