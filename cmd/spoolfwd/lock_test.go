package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestALockExcludesASecondHolderAndNamesTheFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	start := time.Unix(1_000_000, 0)
	first, err := takeLock(path, start)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("taking the lock writes into it: %v, %v", info, err)
	}
	first.Sign(start)
	_, err = takeLock(path, start.Add(90*time.Second))
	var held *heldError
	if !errors.As(err, &held) || exit.Of(err) != exit.Busy {
		t.Fatalf("the second holder gets %v, want a heldError", err)
	}
	wantText(t, "the error", err.Error(), "process "+strconv.Itoa(os.Getpid()), "1m30s", path)
	first.Release()
	again, err := takeLock(path, start)
	if err != nil {
		t.Fatalf("a released lock is not free: %v", err)
	}
	again.Release()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the lock file was deleted: %v", err)
	}
}

// Whatever was written into the file by whomever, it is only quoted when it is a
// process that lives.
func TestTheHolderIsUnknownWhenTheSignatureMakesNoSense(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	for _, text := range []string{"", "x", "1", "-1 5", "1 x", "\x1b[2J 5", "999999999 5", "1 2 3", strings.Repeat("9", 5000)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if held := holderOf(path, time.Now()); held.pid != 0 {
			t.Errorf("%.20q is read as process %d", text, held.pid)
		}
	}
}

func TestALockIsNeverTakenThroughWhatIsNoRegularFile(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(path string) error
	}{
		{"symbolic link", func(path string) error { return os.Symlink(filepath.Join(filepath.Dir(path), "victim"), path) }},
		{"FIFO", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
		{"directory", func(path string) error { return os.Mkdir(path, 0o700) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if err := os.Mkdir(w.state, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(w.state, "central_listener.lock")
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			w.put("a.json", `{}`)
			r := w.do("run").wantCode(t, exit.Config)
			wantText(t, "standard error", r.stderr, path)
			if len(w.received()) != 0 {
				t.Error("payloads were sent without a lock")
			}
			if _, err := os.Stat(filepath.Join(w.state, "victim")); err == nil {
				t.Error("the link's target was created")
			}
		})
	}
}

// A cleaner that deletes the lock file between open and flock would leave us with
// a lock on a file that nobody else will ever open.
func TestALockOnAReplacedFileIsNoLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	first, err := takeLock(path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Release()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, err := takeLock(path, time.Now())
	if err != nil {
		t.Fatalf("the lock at the path is free, but: %v", err)
	}
	defer second.Release()
	there, err := os.Stat(path)
	locked, errLocked := second.lock.Stat()
	if err != nil || errLocked != nil || !os.SameFile(there, locked) {
		t.Errorf("what is locked is not what is at the path: %v, %v", err, errLocked)
	}
}

// An overlap is routine under a scheduler; by hand it is an answer.
func TestAHeldLockIsSilentForRunAndToldByTheOthers(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", `{}`)
	w.do("breaker reset").wantCode(t, exit.OK)
	lock, err := takeLock(filepath.Join(w.state, "central_listener.lock"), w.time())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	w.do("run").wantCode(t, exit.Busy).wantSilence(t)
	for _, command := range []string{"run -v", "flush", "breaker reset", "breaker trip", "rejected retry --all", "rejected remove --all"} {
		name, flag, _ := strings.Cut(command, " -")
		var flags []string
		if flag != "" {
			flags = []string{"-" + flag}
		}
		r := w.do(name, flags...).wantCode(t, exit.Busy)
		wantText(t, command, r.stderr, "another spoolfwd is at work")
	}
	w.do("status").wantCode(t, exit.OK)
	w.do("check").wantCode(t, exit.OK)
	if len(w.received()) != 0 {
		t.Error("payloads were sent without the lock")
	}
}
