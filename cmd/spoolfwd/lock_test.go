package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestNothingIsSentWhenTheLockIsNotARegularFile(t *testing.T) {
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

// Overlapping runs are routine under a scheduler. A person who runs a command wants to know.
func TestOnlyAScheduledRunIsSilentAboutAHeldLock(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", `{}`)
	w.do("breaker reset").wantCode(t, exit.OK)
	lock, err := takeLock(filepath.Join(w.state, "central_listener.lock"))
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
		wantText(t, command, r.stderr, "another spoolfwd is running")
	}
	w.do("status").wantCode(t, exit.OK)
	w.do("check").wantCode(t, exit.OK)
	if len(w.received()) != 0 {
		t.Error("payloads were sent without the lock")
	}
}
