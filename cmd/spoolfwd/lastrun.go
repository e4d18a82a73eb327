package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/breaker/statefile"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// lastRun is what runs leave for status. When the last of them ended is the modification time of
// the file, so that a run with nothing new to say writes nothing. Nothing depends on the file: one
// that is lost or damaged is begun anew.
type lastRun struct {
	Version      int       `json:"version"`
	ExitCode     exit.Code `json:"exit_code"`
	LastDelivery time.Time `json:"last_delivery,omitzero"` // end of the last run that delivered something
	LastError    lastError `json:"last_error,omitzero"`
	// FailingSince is the end of the first of the runs that failed and delivered nothing, until one
	// delivers.
	FailingSince time.Time `json:"failing_since,omitzero"`
}

// lastError is the last error of a run, with all that were the same and came before any other.
type lastError struct {
	Error   string    `json:"error"`
	Payload string    `json:"payload,omitempty"` // the last one that had it
	Count   int       `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// maxLastError is the longest error that is kept, in bytes.
const maxLastError = 1000

func lastRunFile(b breaker.Config) statefile.File {
	return statefile.File{Path: filepath.Join(b.StateDir, b.Name+".lastrun"), MaxSize: 64 << 10, InPlace: true, Volatile: true}
}

// readLastRun returns what runs have left and when the last one ended. It is the zero time if there
// was none.
func readLastRun(file statefile.File) (l lastRun, ended time.Time, err error) {
	data, err := file.Read()
	if errors.Is(err, fs.ErrNotExist) {
		return l, ended, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &l)
	}
	if err != nil {
		return lastRun{}, ended, fmt.Errorf("%s: %w", file.Path, err)
	}
	info, err := os.Lstat(file.Path)
	if err != nil {
		return lastRun{}, ended, err
	}
	return l, info.ModTime(), nil
}

// leave changes what status will read. The caller holds the lock of a run.
func (s *session) leave(ended time.Time, change func(*lastRun)) {
	file := lastRunFile(s.cfg.Breaker)
	var l lastRun
	data, err := file.Read()
	if err != nil || json.Unmarshal(data, &l) != nil {
		l = lastRun{}
	}
	before := l // has no version if the file could not be read
	l.Version = 1
	change(&l)
	if l != before {
		file.Sweep()
		if data, err = json.Marshal(l); err == nil {
			err = file.Write(append(statefile.EscapeJSON(data), '\n'))
		}
	}
	if err == nil {
		at := unix.NsecToTimespec(ended.UnixNano())
		err = unix.UtimesNanoAt(unix.AT_FDCWD, file.Path, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err != nil {
		logError(s.log, slog.LevelDebug, fmt.Errorf("status cannot be told of this run: %s: %w", file.Path, err))
	}
}

// leave notes how the run went, and finds out whether deliveries are back.
func (o *outcome) leave() {
	o.s.leave(o.ended, func(l *lastRun) {
		l.ExitCode = o.code()
		r := o.report
		switch failed := r.LastFailure; {
		case len(o.faults) > 0:
			l.LastError.add(o.faults[0].Error(), "", 1, o.ended)
		case failed != nil:
			count := 1
			for _, e := range r.Errors {
				if e.Error.Error() == failed.Error.Error() {
					count = e.Count
				}
			}
			l.LastError.add(failed.Error.Error(), itemName(failed.Name, failed.Item), count, o.ended)
		}
		switch {
		case r.Delivered > 0:
			// With a payload that fails as it did before, nothing is known to be mended.
			if !l.FailingSince.IsZero() && r.Failed == 0 && !o.recovered() {
				o.failedFor = max(o.started.Sub(l.FailingSince), time.Millisecond)
			}
			l.LastDelivery, l.FailingSince = o.ended, time.Time{}
		case l.FailingSince.IsZero() && (r.Failed > 0 || r.Stop == drain.LocalError):
			l.FailingSince = o.ended
		}
	})
}

// leaveNotRun notes why a run could not begin. It makes no directory for that, and another run that
// holds the lock has notes of its own.
func (s *session) leaveNotRun(err error) {
	b, errBreaker := s.newBreaker()
	problems := exit.Each(err)
	if errBreaker != nil || len(problems) == 0 || s.checkStateDir() != nil {
		return
	}
	lock, errLock := breaker.TakeLock(b.LockPath())
	if errLock != nil {
		return
	}
	defer lock.Release()
	now := s.env.Now()
	s.leave(now, func(l *lastRun) {
		l.ExitCode = exit.Of(err)
		l.LastError.add(problems[0].Error(), "", 1, now)
		if l.FailingSince.IsZero() {
			l.FailingSince = now
		}
	})
}

// add counts an error that came count times until at.
func (e *lastError) add(text, payload string, count int, at time.Time) {
	if len(text) > maxLastError {
		text = strings.ToValidUTF8(text[:maxLastError], "")
	}
	if e.Error != text {
		*e = lastError{Error: text, First: at}
	}
	e.Payload, e.Last = payload, at
	e.Count += count
}
