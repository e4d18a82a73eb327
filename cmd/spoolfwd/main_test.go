package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes sure that run does not return before everything that it started has ended.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("os/signal.loop"), // the process's own
		goleak.Cleanup(func(code int) {
			os.RemoveAll(built.dir)
			os.Exit(code)
		}))
}

// built are the programs, which the tests that run them share.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// buildCommands builds the programs as make build does, and returns their directory.
func buildCommands(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "spoolfwd-bin"); built.err != nil {
			return
		}
		for _, args := range [][]string{
			{"-tags", "urfave_cli_no_docs", "-o", built.dir + "/", "../spoolfwd", "../fakelistener"},
			{"-tags", "urfave_cli_no_docs,nats", "-o", filepath.Join(built.dir, "spoolfwd-nats"), "../spoolfwd"},
		} {
			build := exec.Command("go", append([]string{"build", "-trimpath"}, args...)...)
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				built.err = fmt.Errorf("go build: %w\n%s", err, out)
				return
			}
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}
