// Package victoriametrics_test delivers into the JSON line import of a real VictoriaMetrics, with
// the configuration beside it: a spool of samples arrives, also when the engine is not up yet, is
// stopped in between, or gets a payload twice.
//
// It needs Debian's package victoria-metrics.
package victoriametrics_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func TestEverySampleArrivesInVictoriaMetricsOnce(t *testing.T) {
	w := newWorld(t)
	want := w.spoolSamples(0, 300)
	if err := os.CopyFS(filepath.Join(w.dir, "copy"), os.DirFS(w.spool)); err != nil {
		t.Fatal(err)
	}
	engine := w.start()
	w.flush()
	w.wantSeries(want)

	// Payloads that are spooled while the engine is stopped wait. A crash of spoolfwd's brings the
	// first payload files back.
	engine.stop()
	for name, values := range w.spoolSamples(300, 200) {
		want[name] = values
	}
	if err := os.CopyFS(w.spool, os.DirFS(filepath.Join(w.dir, "copy"))); err != nil {
		t.Fatal(err)
	}
	before := w.files()
	run := w.spoolfwd("run")
	if _ = run.Run(); run.ProcessState.ExitCode() != 69 {
		t.Fatalf("without an engine the run ended with %v, want exit code 69: %s", run.ProcessState, run.Stderr)
	}
	if after := w.files(); after != before {
		t.Errorf("without an engine %d payload files are left of %d", after, before)
	}
	w.start()
	w.flush()
	w.wantSeries(want)
}

// world is a spool and a VictoriaMetrics on a free port.
type world struct {
	t                  *testing.T
	dir, spool, binary string
	address            string
	epoch              int64 // of the first sample, ms
}

func newWorld(t *testing.T) *world {
	t.Helper()
	need.Program(t, "victoria-metrics")
	dir := t.TempDir()
	w := &world{t: t, dir: dir, spool: filepath.Join(dir, "spool"), binary: filepath.Join(dir, "spoolfwd")}
	// Inside the retention and not in the future, whenever the test runs.
	w.epoch = time.Now().Add(-2 * time.Hour).Truncate(time.Second).UnixMilli()
	if err := os.Mkdir(w.spool, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", w.binary, "../../cmd/spoolfwd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}

// spoolSamples spools series number from to from+n with two samples each, three series to an array
// file, spread over lines as an encoder with indentation would, and returns their values.
func (w *world) spoolSamples(from, n int) map[string][]float64 {
	w.t.Helper()
	want := map[string][]float64{}
	for i := from; i < from+n; i += 3 {
		var batch []string
		for id := i; id < min(i+3, from+n); id++ {
			at := w.epoch + int64(id)*10_000
			batch = append(batch, fmt.Sprintf("{\n  \"metric\": {\"__name__\": \"sample\", \"id\": \"%d\"},\n  \"values\": [%d, 0.5],\n  \"timestamps\": [%d, %d]\n}", id, id, at, at+5000))
			want[fmt.Sprint(id)] = []float64{float64(id), 0.5}
		}
		path := filepath.Join(w.spool, fmt.Sprintf("s%06d.json", i))
		if err := os.WriteFile(path, []byte("["+strings.Join(batch, ",\n")+"]\n"), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	return want
}

func (w *world) files() int {
	w.t.Helper()
	names, err := filepath.Glob(filepath.Join(w.spool, "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	return len(names)
}

func (w *world) spoolfwd(command string, flags ...string) *exec.Cmd {
	args := append([]string{command, "--config", "spoolfwd.toml", "--url", "http://" + w.address + "/api/v1/import",
		"--spool", w.spool, "--state-dir", filepath.Join(w.dir, "state"), "--retry-timeout", "1s", "--retry-jitter", "0", "--failure-threshold", "1"}, flags...)
	cmd := exec.CommandContext(w.t.Context(), w.binary, args...)
	cmd.Stderr = &strings.Builder{}
	return cmd
}

// flush delivers everything. An engine that is still starting is a failing listener: the breaker
// probes it until it is there.
func (w *world) flush() {
	w.t.Helper()
	flush := w.spoolfwd("flush", "--wait", "60s")
	if err := flush.Run(); err != nil {
		w.t.Fatalf("flush: %v: %s", err, flush.Stderr)
	}
	if n := w.files(); n != 0 {
		w.t.Fatalf("%d payload files are left", n)
	}
}

// wantSeries compares what the engine holds with what was spooled.
func (w *world) wantSeries(want map[string][]float64) {
	w.t.Helper()
	w.get("/internal/force_flush") // otherwise the newest samples are not searchable yet
	got := map[string][]float64{}
	for line := range strings.Lines(w.get("/api/v1/export?" + url.Values{"match[]": {"sample"}, "reduce_mem_usage": {"0"}}.Encode())) {
		var s struct {
			Metric map[string]string
			Values []float64
		}
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			w.t.Fatalf("%v: %s", err, line)
		}
		id := s.Metric["id"]
		got[id] = append(got[id], s.Values...)
	}
	for id, values := range want {
		if !reflect.DeepEqual(got[id], values) {
			w.t.Errorf("series %s is %v, want %v", id, got[id], values)
		}
	}
	if len(got) != len(want) {
		w.t.Errorf("there are %d series, want %d", len(got), len(want))
	}
}

func (w *world) get(path string) string {
	w.t.Helper()
	resp, err := http.Get("http://" + w.address + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		w.t.Fatalf("GET %s: %s, %v\n%s", path, resp.Status, err, text)
	}
	return string(text)
}

type engine struct {
	cmd  *exec.Cmd
	over chan struct{} // closed when all it said was read
}

// start starts the engine and does not wait for it.
func (w *world) start() *engine {
	w.t.Helper()
	cmd := exec.Command("victoria-metrics", "-httpListenAddr="+w.address, "-storageDataPath="+filepath.Join(w.dir, "data"),
		"-dedup.minScrapeInterval=1ms", "-memory.allowedBytes=64MiB")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	e := &engine{cmd, make(chan struct{})}
	said := ""
	go func() {
		defer close(e.over)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if strings.Contains(lines.Text(), "skipping it") || strings.Contains(lines.Text(), "cannot") {
				said += lines.Text() + "\n"
			}
		}
	}()
	w.t.Cleanup(func() {
		e.stop()
		if said != "" {
			w.t.Errorf("VictoriaMetrics complained:\n%s", said)
		}
	})
	return e
}

// stop ends the engine as a supervisor does: it saves what it holds in memory.
func (e *engine) stop() {
	_ = e.cmd.Process.Signal(os.Interrupt)
	<-e.over
	_ = e.cmd.Wait()
}
