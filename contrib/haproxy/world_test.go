package haproxy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// world is a spool, and what stands between it and two listeners.
type world struct {
	t               *testing.T
	dir, bin, spool string
	url             string
}

func newWorld(t *testing.T, bin string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, dir: dir, bin: bin, spool: filepath.Join(dir, "spool")}
	if err := os.Mkdir(w.spool, 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) spoolfwd(command string, flags ...string) *exec.Cmd {
	args := append([]string{command, "--url", w.url, "--spool", w.spool, "--state-dir", filepath.Join(w.dir, "state"),
		"--retry-timeout", "1s", "--retry-jitter", "0"}, flags...)
	cmd := exec.CommandContext(w.t.Context(), filepath.Join(w.bin, "spoolfwd"), args...)
	cmd.Stderr = &strings.Builder{}
	return cmd
}

// spoolItems spools n different items, single ones and arrays of three, and returns them.
func (w *world) spoolItems(n int) []string {
	w.t.Helper()
	var items []string
	for len(items) < n {
		var batch []string
		for range 1 + 2*(len(items)%2) {
			batch = append(batch, fmt.Sprintf(`{"id":%d}`, len(items)+len(batch)))
		}
		text := batch[0]
		if len(batch) > 1 {
			text = "[" + strings.Join(batch, ",") + "]"
		}
		if err := os.WriteFile(filepath.Join(w.spool, fmt.Sprintf("p%04d.json", len(items))), []byte(text), 0o600); err != nil {
			w.t.Fatal(err)
		}
		items = append(items, batch...)
	}
	return items
}

func (w *world) left() []string {
	w.t.Helper()
	names, err := filepath.Glob(filepath.Join(w.spool, "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}

// balance starts HAProxy with haproxy.cfg, in which listeners after the second get lines of their
// own. It inherits a socket that listens already, so that nobody has to wait until it is ready.
func (w *world) balance(first, second *listener, others ...*listener) {
	w.t.Helper()
	text, err := os.ReadFile("haproxy.cfg")
	if err != nil {
		w.t.Fatal(err)
	}
	config := string(text)
	for old, with := range map[string]string{
		"bind :8080": "bind fd@3", "192.0.2.11:8080": first.address, "192.0.2.12:8080": second.address,
	} {
		if strings.Count(config, old) != 1 {
			w.t.Fatalf("haproxy.cfg holds %q %d times", old, strings.Count(config, old))
		}
		config = strings.Replace(config, old, with, 1)
	}
	for i, l := range others { // the backend is the last section
		config += fmt.Sprintf("    server listener%d %s\n", i+3, l.address)
	}
	path := filepath.Join(w.dir, "haproxy.cfg")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		w.t.Fatal(err)
	}
	defer socket.Close()
	w.url = "http://" + l.Addr().String() + "/api/profiling"
	cmd := exec.Command("haproxy", "-db", "-f", path)
	cmd.ExtraFiles = []*os.File{socket}
	said := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if w.t.Failed() {
			w.t.Logf("haproxy said:\n%s", said)
		}
	})
}

// listener is a fakelistener that records what it gets.
type listener struct {
	t       *testing.T
	name    string
	address string
	record  string
	cmd     *exec.Cmd
	log     *bufio.Scanner
}

func (w *world) listen(name string) *listener {
	w.t.Helper()
	l := &listener{t: w.t, name: name, record: filepath.Join(w.dir, name)}
	l.cmd = exec.Command(filepath.Join(w.bin, "fakelistener"), "--listen", "127.0.0.1:0", "--record", l.record, "--schema", "--latency", "2ms", "-v")
	stdout, err := l.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	stderr, err := l.cmd.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(l.kill)
	l.log = bufio.NewScanner(stderr)
	ready, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		w.t.Fatalf("the %s listener is not ready: %v", name, err)
	}
	l.address = regexp.MustCompile(`[\d.]+:\d+`).FindString(ready)
	return l
}

func (l *listener) kill() {
	_ = l.cmd.Process.Kill()
	_ = l.cmd.Wait()
}

// afterRequests returns when the listener has logged n requests.
func (l *listener) afterRequests(n int) {
	l.t.Helper()
	for range n {
		if !l.log.Scan() {
			l.t.Fatalf("the %s listener got less than %d requests", l.name, n)
		}
	}
}

// received is one request that was answered 2xx, or would have been had the listener lived.
type received struct{ body, key string }

func (l *listener) delivered() []received {
	l.t.Helper()
	records, err := filepath.Glob(filepath.Join(l.record, "*.json"))
	if err != nil {
		l.t.Fatal(err)
	}
	var all []received
	for _, path := range records {
		var head struct {
			Key    string
			Status int
		}
		text, err := os.ReadFile(path)
		if err != nil {
			l.t.Fatal(err)
		}
		if err := json.Unmarshal(text, &head); err != nil {
			l.t.Fatal(err)
		}
		body, err := os.ReadFile(strings.TrimSuffix(path, ".json") + ".body")
		if err != nil {
			l.t.Fatal(err)
		}
		if head.Status == 200 {
			all = append(all, received{string(body), head.Key})
		} else {
			l.t.Errorf("the %s listener answered %d to %s", l.name, head.Status, body)
		}
	}
	return all
}
