package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestASignalCancelsTheContextAndIsItsCause(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	signalCatcher(cancel)()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	var ended exit.Signalled
	if !errors.As(context.Cause(ctx), &ended) || ended.Signal != syscall.SIGTERM {
		t.Errorf("the cause is %v, want SIGTERM", context.Cause(ctx))
	}
	// The second one changes nothing; were it not caught, this test would end here.
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// Catching them takes a tenth of a run that finds an empty spool. Such a run has nothing to bring
// to an end.
func TestSignalsAreCaughtBeforeARunSendsOrWaits(t *testing.T) {
	for _, c := range []struct {
		name   string
		world  func(*testing.T) *world
		args   []string
		caught bool
	}{
		{"a run on an empty spool", newWorld, []string{"run"}, false},
		{"a run that sends", func(t *testing.T) *world {
			w := newWorld(t)
			w.put("a.json", "{}")
			return w
		}, []string{"run"}, true},
		{"a run that waits for a probe", func(t *testing.T) *world {
			w := openWorld(t, 1)
			w.pass(55 * time.Second)
			return w
		}, []string{"run"}, true},
		{"a dry run", newWorld, []string{"run", "--dry-run"}, true},
		{"flush", newWorld, []string{"flush"}, true},
	} {
		w := c.world(t)
		caught := false
		w.env.CatchSignals = func() { caught = true }
		w.onRequest = func() {
			if !caught {
				t.Errorf("%s: signals are not caught during a request", c.name)
			}
		}
		w.env.Wait = func(context.Context, time.Duration) error {
			if !caught {
				t.Errorf("%s: signals are not caught during a wait", c.name)
			}
			return nil
		}
		w.do(c.args[0], c.args[1:]...)
		if caught != c.caught {
			t.Errorf("%s: signals are caught: %v, want %v", c.name, caught, c.caught)
		}
	}
}

// For a URL of NATS the program becomes another one. A signal that was caught before would be lost.
func TestSignalsAreNotCaughtBeforeThereIsATransmitter(t *testing.T) {
	for _, command := range []string{"flush", "check", "run --dry-run"} {
		w := newWorld(t)
		token := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(token, []byte("s3cret"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.env.CatchSignals = func() { os.Remove(token) }
		words := strings.Fields(command)
		if r := w.do(words[0], append(words[1:], "--token-file", token)...); r.code != exit.OK {
			t.Errorf("%s ended with %v: the token was read after signals were caught\n%s%s", command, r.code, r.stdout, r.stderr)
		}
	}
}

// A person who presses Ctrl-C again means it.
func TestASecondInterruptKills(t *testing.T) {
	held := make(chan struct{}, 1)
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // otherwise nobody notices that the client is gone
		held <- struct{}{}
		<-r.Context().Done()
	}))
	defer listener.Close()
	spool := t.TempDir()
	if err := os.WriteFile(filepath.Join(spool, "a.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(buildCommands(t), "spoolfwd"), "run", "--url", listener.URL, "--timeout", "5m", "--spool", spool, "--state-dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-held
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cmd.Wait()
	}()
	giveUp := time.After(time.Minute)
	for again := time.Tick(10 * time.Millisecond); ; {
		select {
		case <-ended:
			if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGINT {
				t.Errorf("it ended with %v", cmd.ProcessState)
			}
			return
		case <-again: // signals that come too close are one
			cmd.Process.Signal(syscall.SIGINT)
		case <-giveUp:
			cmd.Process.Kill()
			t.Fatal("it does not end")
		}
	}
}

// nohup, and scripts that start a command in the background, ignore signals for it.
func TestASignalThatTheParentIgnoresStaysIgnored(t *testing.T) {
	held := make(chan struct{}, 1)
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		held <- struct{}{}
		<-r.Context().Done() // the request ends with its timeout, long after the signals
	}))
	defer listener.Close()
	spool := t.TempDir()
	if err := os.WriteFile(filepath.Join(spool, "a.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `trap "" HUP; exec "$@"`, "sh",
		filepath.Join(buildCommands(t), "spoolfwd"), "run", "--url", listener.URL, "--timeout", "1s", "--spool", spool, "--state-dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-held
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != int(exit.Terminated) {
		t.Errorf("it ended with %d, want %d for the signal that was not ignored", got, exit.Terminated)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	if err := waitFor(t.Context(), time.Nanosecond); err != nil {
		t.Errorf("a wait that is over returns %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(exit.Signalled{Signal: syscall.SIGINT})
	if err := waitFor(ctx, time.Hour); exit.Of(err) != exit.Interrupt {
		t.Errorf("an interrupted wait returns %v", err)
	}
}
