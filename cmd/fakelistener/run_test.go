package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// runOnce runs a command line that must end by itself.
func runOnce(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"fakelistener"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestWrongUsageIsOneSentenceAndAHint(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"--frobnicate"}, "unknown flag --frobnicate"},
		{[]string{"extra"}, `unexpected argument "extra"`},
		{[]string{"help"}, `unexpected argument "help"`},
		{[]string{"--loop", "false"}, `unexpected argument "false"`},
		{[]string{"--", "--loop"}, `unexpected argument "--loop"`},
		{[]string{"--version", "extra"}, `unexpected argument "extra"`},
		{[]string{"--help", "extra"}, "No help topic for 'extra'"},
		{[]string{"--latency"}, "flag needs an argument: -latency"},
		{[]string{"--latency", "-1s"}, "the duration -1s is negative"},
		{[]string{"--max-runtime", "soon"}, `"soon" is not a duration`},
		{[]string{"--max-requests", "-1"}, "--max-requests is negative"},
		{[]string{"--max-requests", "many"}, `invalid value "many" for flag -max-requests`},
		{[]string{"--max-body", "3XB"}, "a size is a number of bytes such as"},
		{[]string{"--max-body", "0"}, "a size is a number of bytes such as"},
		{[]string{"--max-body", "3000GiB"}, "below 2 TiB"},
		{[]string{"--script", "200,9"}, `step 2 of the script, "9"`},
		{[]string{"--script", ""}, "--script is empty"},
		{[]string{"--token", ""}, "--token is empty"},
		{[]string{"--record", ""}, "--record is empty"},
		{[]string{"--match", "poison"}, `"poison" is not PATTERN=STEP`},
		{[]string{"--token", "a", "--token-file", "b"}, "--token and --token-file are both given"},
		{[]string{"--tls-cert", "a"}, "--tls-cert and --tls-key go together"},
		{[]string{"--listen", "nowhere"}, "--listen nowhere is not HOST:PORT"},
		{[]string{"--listen", "127.0.0.1:99999"}, "is not HOST:PORT"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			code, stdout, stderr := runOnce(tt.args...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code %d, stdout %q; want %d and nothing", code, stdout, exitUsage)
			}
			lines := strings.Split(stderr, "\n")
			if len(lines) != 3 || !strings.Contains(lines[0], tt.want) || lines[1] != "see 'fakelistener --help'" {
				t.Errorf("stderr is %q, want %q and the hint", stderr, tt.want)
			}
		})
	}
}

func TestHelpAndVersionAreOnStdout(t *testing.T) {
	for flag, wants := range map[string][]string{
		"--help":    {"429:retry-after=3", "--script STEPS", "_control/stats", "Examples:", "Exit codes:"},
		"-h":        {"--listen ADDR"},
		"--version": {"fakelistener "},
	} {
		code, stdout, stderr := runOnce(flag)
		if code != exitOK || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", flag, code, stderr)
		}
		for _, want := range wants {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s prints no %q: %s", flag, want, stdout)
			}
		}
	}
}

func TestFilesAndAddressesThatCannotBeUsedEndWithExitCode74(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "empty")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--listen", taken.Addr().String()}, "cannot listen: "},
		{[]string{"--token-file", filepath.Join(dir, "absent")}, "cannot read the token: "},
		{[]string{"--token-file", file}, "empty is empty"},
		{[]string{"--tls-cert", file, "--tls-key", file}, "cannot load "},
		{[]string{"--record", file}, "cannot make the record directory: "},
		{[]string{"--listen", "127.0.0.1:0", "--max-runtime", "1ms", "--stats-file", filepath.Join(dir, "absent", "f")}, "cannot write the stats file: "},
		{[]string{"--listen", "127.0.0.1:0", "--address-file", filepath.Join(dir, "absent", "f")}, "cannot write the address file: "},
	} {
		code, _, stderr := runOnce(tt.args...)
		if code != exitIO || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: exit code %d, stderr %q; want %d and %q", tt.args, code, stderr, exitIO, tt.want)
		}
	}
	code := run(context.Background(), []string{"fakelistener", "--listen", "127.0.0.1:0"}, brokenWriter{}, io.Discard)
	if code != exitIO {
		t.Errorf("an address that cannot be printed: exit code %d", code)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no") }

func TestAddressAndStatsFiles(t *testing.T) {
	dir := t.TempDir()
	address, final := filepath.Join(dir, "address"), filepath.Join(dir, "stats.json")
	r := start(t, "--address-file", address, "--stats-file", final, "--max-requests", "3", "--script", "200x2,hang", "-v")
	if text, err := os.ReadFile(address); err != nil || string(text) != r.url+"\n" {
		t.Errorf("the address file holds %q (%v), stdout said %q", text, err, r.url)
	}
	r.post("{}", `Idempotency-Key: "k"`)
	r.stats() // does not count as a request
	r.expect(200)
	_ = r.raw(rawPost).CloseWrite() // hangs, and its client leaves
	if code := r.wait(); code != exitOK {
		t.Errorf("after its last request the command ended with %d", code)
	}
	text, err := os.ReadFile(final)
	if err != nil {
		t.Fatal(err)
	}
	if n := decodeCounts(t, text); n.Requests != 3 || n.Delivered != 2 || n.ByStatus["hang"] != 1 || n.InFlight != 0 {
		t.Errorf("the stats file holds %s", text)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("files are left behind: %q", left)
	}
	if log := r.stderr.String(); !strings.HasPrefix(log, `POST "/api/profiling" 200, 2 bytes, 1 items, key "k"`+"\n") {
		t.Errorf("the log is %q", log)
	}
}

func TestRequestsAreLimitedExactly(t *testing.T) {
	final := filepath.Join(t.TempDir(), "stats.json")
	r := start(t, "--max-requests", "20", "--stats-file", final)
	var answered atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				if _, _, err := r.do(http.MethodPost, r.url, "{}"); err != nil {
					return // the listener has ended
				}
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	r.wait()
	text, err := os.ReadFile(final)
	if err != nil {
		t.Fatal(err)
	}
	if n := decodeCounts(t, text); n.Requests != 20 || answered.Load() != 20 {
		t.Errorf("%d requests were counted and %d answered, want 20", n.Requests, answered.Load())
	}
}

func TestRuntimeIsLimited(t *testing.T) {
	if code, stdout, stderr := runOnce("--listen", "127.0.0.1:0", "--max-runtime", "1ms"); code != exitOK || stderr != "" || stdout == "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestURLReachesTheListener(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:80": "http://127.0.0.1:80/api/profiling", "0.0.0.0:81": "http://127.0.0.1:81/api/profiling",
		"[::]:82": "http://127.0.0.1:82/api/profiling", "[::1]:83": "http://[::1]:83/api/profiling",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := listenerURL(tcp, false); got != want {
			t.Errorf("the URL of %s is %s, want %s", addr, got, want)
		}
	}
}

// A process of its own, since only that has signals and an exit code.
func TestSignalsEndTheProcessWell(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		final := filepath.Join(t.TempDir(), "stats.json")
		cmd := exec.Command(os.Args[0], "--listen", "127.0.0.1:0", "--stats-file", final)
		cmd.Env = append(os.Environ(), asCommand+"=1")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		url, err := bufio.NewReader(stdout).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{}}
		resp, err := client.Post(strings.TrimSpace(url), "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close() // the idle connection must not hold the process up
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("after %v: %v", signal, err)
		}
		client.CloseIdleConnections()
		if text, err := os.ReadFile(final); err != nil || !strings.Contains(string(text), `"delivered": 1`) {
			t.Errorf("after %v the stats file holds %q (%v)", signal, text, err)
		}
	}
}
