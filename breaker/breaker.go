package breaker

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
)

// Breaker is a circuit breaker and its state file. Its methods may be called from several
// goroutines. A call that saves makes the others wait for the disk. The times passed in are the
// caller's wall clock.
type Breaker struct {
	config Config
	rules  rules
	file   statefile.File

	// mu guards the fields below. Methods that end in Locked are called with mu held.
	mu        sync.Mutex
	current   snapshot
	saved     snapshot // the content of the file; it differs from current when something is unsaved
	unknown   unknownKeys
	readOnly  bool
	saveError error
}

// New checks the configuration and touches no file. The error holds every problem found, one per
// line. Until Open or Peek the breaker is closed, and a save replaces the file.
func New(c Config) (*Breaker, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	// A torn file loads as a closed breaker, so it may be overwritten in place on a full disk.
	file := statefile.File{Path: filepath.Join(c.StateDir, c.Name+".state"), MaxSize: maxFileSize, InPlace: true}
	return &Breaker{config: c, rules: c.rules(), file: file}, nil
}

// StatePath is the state file.
func (b *Breaker) StatePath() string { return b.file.Path }

// LockPath is the file that a caller locks with TakeLock before Open. The breaker never touches it.
func (b *Breaker) LockPath() string { return filepath.Join(b.config.StateDir, b.config.Name+".lock") }

// Open loads the state file for a run that holds the lock. It removes the leftovers of killed
// saves, lets everybody read the file, sets a bad file aside, and saves the correction of times in
// the future. The breaker is usable afterwards in every case. An error is an *Anomaly, for one
// warning. SaveError says whether the correction could be saved.
func (b *Breaker) Open(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readOnly = false
	b.file.Sweep()
	sweepHostID(b.config.StateDir)
	b.file.Publish()
	anomaly := b.loadLocked(now)

	corrected := b.current.openedAt != b.saved.openedAt || b.current.notBefore != b.saved.notBefore
	if b.current.state == Open && corrected && b.saveLocked() != nil {
		// The next run would find the same time in the future and hold for another whole timeout,
		// and so on until the clock has caught up, in a year perhaps.
		b.current = b.current.withoutHold()
	}

	if anomaly == nil {
		return nil
	}
	if statefile.IsSpoiled(anomaly.Cause) {
		anomaly.KeptAs, anomaly.KeepError = b.file.SetAside()
	}
	return anomaly
}

// Peek loads the state file for a caller that only looks and holds no lock. Nothing changes on
// disk, now or later: until Open, the breaker keeps its transitions to itself. Errors are those of
// Open.
func (b *Breaker) Peek(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readOnly = true
	if anomaly := b.loadLocked(now); anomaly != nil {
		anomaly.Peeked = true
		return anomaly
	}
	return nil
}

func (b *Breaker) loadLocked(now time.Time) *Anomaly {
	var anomaly *Anomaly
	b.saved, b.unknown, anomaly = load(b.file)
	b.saveError = nil
	b.current = b.rules.step(b.saved, event{kind: tick}, microsAt(now))
	return anomaly
}

// Available reports whether a request may go. It turns an open breaker whose hold is over into a
// half-open one, and saves that before it returns. If the save fails, the answer is true all the
// same, because deliveries may free a full disk (see SaveError). The probe is not claimed:
// a half-open breaker is available until a result is recorded.
func (b *Breaker) Available(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.current.state
	b.stepLocked(event{kind: allow}, now)
	if b.current.state != before {
		_ = b.saveLocked() // kept for SaveError
	}
	return b.current.state != Open
}

// Failures returns how many requests have failed in succession. Failed probes are among them.
func (b *Breaker) Failures() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current.failures
}

// FailureThreshold returns how many failures in succession open the breaker.
func (b *Breaker) FailureThreshold() int { return b.config.FailureThreshold }

// RecordSuccess reports a request that was answered with a 2xx. An error means that closing the
// breaker could not be saved. It is closed all the same. The reset of the count of a closed breaker
// waits for Save.
//
// It also repeats a save that failed before, because deliveries make room on a full disk. Save
// tells whether that was in vain.
func (b *Breaker) RecordSuccess(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.current.state
	b.stepLocked(event{kind: succeeded}, now)
	if b.current.state != before {
		return b.saveLocked()
	}
	if b.saveError != nil {
		_ = b.saveLocked()
	}
	return nil
}

// RecordFailure reports a request that failed. A positive retryAfter, from the Retry-After of the
// answer (RFC 9110, section 10.2.3), opens the breaker at once. It holds the breaker that long or
// for MaxRetryAfter, whichever is shorter, if that is later than the end of the retry timeout.
//
// An error means that the failure could not be saved. It counts in memory all the same, and the
// caller may go on: deliveries free a full disk, and the breaker still opens at its
// threshold. If nothing can be saved until the end of the run, the next run begins without this
// failure.
func (b *Breaker) RecordFailure(now time.Time, retryAfter time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stepLocked(event{kind: failed, hold: microsFrom(max(retryAfter, 0))}, now)
	return b.saveLocked()
}

// NoteFailure keeps in words why the last request failed, for people who look at the breaker. The
// next save writes it, and a success forgets it. Without a failure it does nothing.
func (b *Breaker) NoteFailure(cause string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current.failures == 0 {
		return
	}
	if len(cause) > maxCause {
		cause = strings.ToValidUTF8(cause[:maxCause], "")
	}
	b.current.cause = cause
}

// Save writes the state if something is unsaved or the last save failed. Otherwise it does nothing
// at all. It belongs at the end of a run.
func (b *Breaker) Save() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = b.current.withoutForcedProbe()
	// After a failed save nobody knows what is on disk: it may have got as far as the rename.
	if b.current == b.saved && b.saveError == nil {
		return nil
	}
	return b.saveLocked()
}

// SaveError is the error of the last save. It is nil if the save succeeded, or if there was none
// since the file was loaded.
func (b *Breaker) SaveError() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.saveError
}

func (b *Breaker) stepLocked(e event, now time.Time) {
	b.current = b.rules.step(b.current, e, microsAt(now))
}

func (b *Breaker) saveLocked() error {
	if b.readOnly {
		return nil
	}
	b.saveError = nil
	if err := b.file.Write(encode(b.current, b.unknown, microsFrom(b.config.RetryTimeout))); err != nil {
		b.saveError = fmt.Errorf("cannot save breaker state %s: %w", b.file.Path, err)
		return b.saveError
	}
	b.saved = b.current
	return nil
}
