package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// A run that finds an empty spool is little more than its start, once a minute on every host. What
// it opens tells of work that no such run needs: a library's initialization has opened
// /etc/localtime and the program itself.
func TestAnIdleRunOpensNothingButItsOwnFiles(t *testing.T) {
	strace := need.Program(t, "strace")
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "spool"), 0o755), os.WriteFile(filepath.Join(dir, "toml"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(dir, "trace")
	idle := func() {
		t.Helper()
		cmd := exec.Command(strace, "-f", "-qq", "-s", "4096", "-e", "trace=open,openat,openat2", "-o", trace,
			filepath.Join(buildCommands(t), "spoolfwd"), "run", "--spool", "spool", "--state-dir", "state", "--config", "toml")
		cmd.Dir, cmd.Env = dir, []string{}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("the run: %v\n%s", err, out)
		}
	}
	idle() // makes the state directory
	idle()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	opens := map[string]int{}
	for _, found := range regexp.MustCompile(`open(?:at|at2)?\([^"]*"([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
		if path := found[1]; !strings.HasPrefix(path, "/proc/self/") && !strings.HasPrefix(path, "/sys/") { // the Go runtime's
			opens[path]++
		}
	}
	if opens["spool"] == 0 {
		t.Fatalf("the trace does not show the spool:\n%s", text)
	}
	lock := "state/central_listener.lock"
	most := map[string]int{
		"toml": 1, "/etc/machine-id": 1, "/var/lib/dbus/machine-id": 1, "state": 1, "state/host-id": 1,
		lock: 2, "state/central_listener.state": 1, "state/central_listener.index": 1, "state/central_listener.lastrun": 1, "spool": 1, ".": 1,
		"rejected": 1, // which it locks
	}
	for path, n := range opens {
		if n > most[path] {
			t.Errorf("it opens %s %d times, want at most %d", path, n, most[path])
		}
	}
}

// Go initializes every package of the program before main, whether a run needs it or not. What that
// allocates is a measure of it that does not depend on the machine's load: a library that compiles
// regular expressions or registers types there makes each tick of the timer dearer. The client
// for NATS alone makes over 700.
func TestLittleIsInitializedBeforeARunBegins(t *testing.T) {
	const mostAllocations = 450
	cmd := exec.Command(filepath.Join(buildCommands(t), "spoolfwd"), "version")
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	var trace strings.Builder
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, found := range regexp.MustCompile(`(?m)^init \S+ @.* (\d+) allocs$`).FindAllStringSubmatch(trace.String(), -1) {
		n, _ := strconv.Atoi(found[1])
		total += n
	}
	if total == 0 || total > mostAllocations {
		t.Errorf("packages make %d allocations when they are initialized, want some and at most %d:\n%s", total, mostAllocations, &trace)
	}
}
