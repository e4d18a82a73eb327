package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// A payload costs what it must: its file is opened, looked at, read and removed once, and its
// request is written and its answer read once. With one request in flight, the goroutine that sends
// does not hand the wait for the answer to Go's scheduler, which would cost as much as the answer.
func TestAPayloadCostsNoMoreSystemCallsThanItMust(t *testing.T) {
	strace := need.Program(t, "strace")
	const payloads = 100
	// Its latency lets no answer be there before somebody waits for it.
	listener := exec.Command(filepath.Join(buildCommands(t), "fakelistener"), "--listen", "127.0.0.1:0", "--latency", "1ms")
	out, err := listener.StdoutPipe()
	if err == nil {
		err = listener.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Wait()
	defer listener.Process.Kill()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	spool, trace := filepath.Join(dir, "spool"), filepath.Join(dir, "trace")
	if err := os.Mkdir(spool, 0o755); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour) // nobody is asked whether the file is still being written
	for i := range payloads {
		name := filepath.Join(spool, fmt.Sprintf("payload%d.json", i))
		if err := os.WriteFile(name, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, long, long); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(strace, "-f", "-qq", "-o", trace, "-e", "signal=none",
		filepath.Join(buildCommands(t), "spoolfwd"), "run", "--concurrency", "1",
		"--spool", spool, "--state-dir", filepath.Join(dir, "state"), "--url", strings.TrimSpace(url))
	cmd.Env = []string{}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("the run: %v\n%s", err, out)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for _, call := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllSubmatch(text, -1) {
		calls[string(call[1])]++
	}
	const start = payloads / 2 // what the run costs besides
	most := map[string]int{
		"openat": 1, "fstat": 1, "read": 2, "close": 1, "newfstatat": 2, "unlinkat": 1, "write": 1,
		"ppoll": 2, "poll": 2, // before the request, and for its answer
		"epoll_pwait": 1, // of the scheduler, which goes on polling by itself
	}
	for _, call := range []string{"flock", "fcntl", "epoll_ctl", "fsync", "fdatasync", "stat", "lstat", "statx", "lseek", "getdents64"} {
		most[call] = 0
	}
	for call, n := range most {
		if calls[call] > n*payloads+start {
			t.Errorf("%d payloads cost %d calls of %s, want at most %d for each", payloads, calls[call], call, n)
		}
	}
	if calls["unlinkat"]+calls["unlink"] < payloads {
		t.Errorf("the trace shows too little: %v", calls)
	}
}
