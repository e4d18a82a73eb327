package nats_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// world is a spool, and what was ever in it.
type world struct {
	t       testing.TB
	dir     string
	files   int
	spooled map[string]bool // items
}

// newWorld makes a spool for a cluster, which is reached at these addresses.
func newWorld(t testing.TB, c *cluster, addresses []string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), spooled: map[string]bool{}}
	if err := os.Mkdir(filepath.Join(w.dir, "spool"), 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("spoolfwd.toml")
	if err != nil {
		t.Fatal(err)
	}
	trust := fmt.Sprintf("ca-file = %q", c.trusted.file)
	if c.options.plain {
		trust = ""
	}
	for name, content := range map[string]string{
		"token": "spoolfwd:change-me-1\n",
		"nats.toml": replaceEach(t, string(text), "/var/lib/bitville-apm/nats", filepath.Join(w.dir, "spool"),
			"tls://nats1:4222,nats2:4222,nats3:4222", c.scheme()+strings.Join(addresses, ","), `ca-file = "/etc/nats/ca.crt"`, trust),
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	buildPrograms(t, w.dir)
	return w
}

// buildPrograms builds spoolfwd, and what it becomes for NATS.
func buildPrograms(t testing.TB, dir string) {
	t.Helper()
	for program, tags := range map[string]string{"spoolfwd": "", "spoolfwd-nats": "nats"} {
		build := exec.Command("go", "build", "-C", "../..", "-tags", tags, "-o", filepath.Join(dir, program), "./cmd/spoolfwd")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

// fill spools payload files of two items each.
func (w *world) fill(files int) {
	w.t.Helper()
	for range files {
		one, two := fmt.Sprintf(`{"file":%d,"item":1}`, w.files), fmt.Sprintf(`{"file":%d,"item":2}`, w.files)
		w.spooled[one], w.spooled[two] = true, true
		w.put("[" + one + "," + two + "]")
	}
}

// put is a producer.
func (w *world) put(text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "spool", fmt.Sprintf("p%06d.json", w.files))
	if err := os.WriteFile(path+".tmp", []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		w.t.Fatal(err)
	}
	w.files++
}

// left are the payload files in the spool.
func (w *world) left() []string {
	w.t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, "spool", "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	return paths
}

// spoolfwd is a command with the settings of spoolfwd.toml.
func (w *world) spoolfwd(command string, flags ...string) *exec.Cmd {
	args := []string{command, "--config", filepath.Join(w.dir, "nats.toml"), "--token-file", filepath.Join(w.dir, "token"),
		"--host-id", "web1", "--state-dir", filepath.Join(w.dir, "state")}
	return exec.CommandContext(w.t.Context(), filepath.Join(w.dir, "spoolfwd"), append(args, flags...)...)
}

// run is a run whose breaker never opens.
func (w *world) run(concurrency int) *exec.Cmd {
	return w.spoolfwd("run", "--failure-threshold", "1000000000", "--timeout", "2s", "--concurrency", strconv.Itoa(concurrency))
}

// runUntil spools and runs until a fault happens under way, and returns the run to which it did. A
// run that ends before is followed by another one.
func (w *world) runUntil(wire *wire, concurrency, after int, fault func(run *os.Process) afterwards) *os.ProcessState {
	w.t.Helper()
	for range 20 {
		w.fill(10)
		run := w.run(concurrency)
		if err := run.Start(); err != nil {
			w.t.Fatal(err)
		}
		wire.arm(after, func() afterwards { return fault(run.Process) })
		_ = run.Wait()
		if wire.disarm() {
			return run.ProcessState
		}
		after /= 2
	}
	w.t.Fatal("no run sends enough for the fault to happen")
	return nil
}

// drain runs until a run has delivered everything.
func (w *world) drain() {
	w.t.Helper()
	var out []byte
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if out, err = w.run(16).CombinedOutput(); err == nil {
			return
		}
	}
	w.t.Fatalf("no run has delivered everything within a minute; the last one: %v: %s", err, out)
}

// compare checks that each item is in the stream once, under its own key, unless it is still in the
// spool.
func (w *world) compare(stored map[string]string) {
	w.t.Helper()
	inSpool := ""
	for _, path := range w.left() {
		text, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		inSpool += string(text)
	}
	seen := map[string]bool{}
	for key, body := range stored {
		switch {
		case !w.spooled[body]:
			w.t.Errorf("the stream holds %q, which nobody spooled", body)
		case seen[body]:
			w.t.Errorf("the stream holds %s twice, once under the key %s", body, key)
		}
		seen[body] = true
	}
	for item := range w.spooled {
		if !seen[item] && !strings.Contains(inSpool, item) {
			w.t.Errorf("%s is neither in the stream nor in the spool", item)
		}
	}
}
