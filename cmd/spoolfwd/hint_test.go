package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestAHintSurvivesWrappingAndStaysOutOfTheMessage(t *testing.T) {
	base := errors.New("the disk is full")
	err := fmt.Errorf("cannot save: %w", exit.With(exit.IO, withHint(base, "make room")))
	if got := err.Error(); got != "cannot save: the disk is full" {
		t.Errorf("the message is %q", got)
	}
	if got := hintOf(err); got != "make room" {
		t.Errorf("the hint is %q", got)
	}
	if !errors.Is(err, base) {
		t.Error("the cause is lost")
	}
}

func TestTheHintNearestToTheCauseIsKept(t *testing.T) {
	inner := withHint(errors.New("a"), "the cause's hint")
	if got := hintOf(withHint(fmt.Errorf("b: %w", inner), "see --help")); got != "the cause's hint" {
		t.Errorf("the hint is %q", got)
	}
}

func TestAHintWithoutAnErrorIsNotAnError(t *testing.T) {
	if err := withHint(nil, "do something"); err != nil {
		t.Errorf("got %v", err)
	}
	if got := hintOf(nil); got != "" {
		t.Errorf("the hint is %q", got)
	}
}

func TestAnErrorIsLoggedWithItsHintAndTheAttributesThatItIsGiven(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&b, nil))
	logError(log, slog.LevelError, errors.Join(withHint(errors.New("one"), "mend it"), exit.Silently(exit.Busy), errors.New("two")), "count", 3)
	wantText(t, "the log", b.String(), `"msg":"one","count":3,"hint":"mend it"`, `"msg":"two","count":3}`)
	if got := strings.Count(b.String(), "\n"); got != 2 {
		t.Errorf("%d lines, want 2: an error without words is not logged", got)
	}
}

// An answer that went nowhere must not look like one that was given.
func TestAFullStandardOutputIsAnError(t *testing.T) {
	for _, command := range []string{"help", "version", "completion bash", "status --spool " + t.TempDir()} {
		w := newWorld(t)
		w.env.Stdout = brokenWriter{syscall.ENOSPC}
		r := w.run(strings.Fields(command)...)
		r.wantCode(t, exit.IO)
		if want := "spoolfwd: cannot write to standard output: no space left on device\n"; r.stderr != want {
			t.Errorf("%s says %q, want %q", command, r.stderr, want)
		}
		w.env.Stdout = brokenWriter{&net.OpError{Op: "write", Err: syscall.EPIPE}}
		w.run(strings.Fields(command)...).wantCode(t, exit.OK).wantSilence(t)
	}
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }
