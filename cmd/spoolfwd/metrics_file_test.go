package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestEverybodyMayReadTheMetricsFileWhateverTheUmask(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "spoolfwd.prom")
	defer unix.Umask(unix.Umask(0o077))
	for range 2 {
		w.do("run", "--metrics-file", file).wantCode(t, exit.OK)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o644 {
			t.Errorf("the mode is %v, want 0644", info.Mode())
		}
	}
	wantOnlyMetrics(t, dir)
}

// wantOnlyMetrics also finds the lock, which node_exporter does not read.
func wantOnlyMetrics(t *testing.T, dir string) {
	t.Helper()
	if names := strings.Join(namesIn(t, dir), " "); names != ".spoolfwd.prom.lock spoolfwd.prom" {
		t.Errorf("the directory holds %s, want the metrics file and its lock", names)
	}
}

func TestWhatACrashLeftBesideTheMetricsFileIsRemoved(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "spoolfwd.prom123"), []byte(strings.Repeat("half a file ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	w.do("run", "--metrics-file", filepath.Join(dir, "spoolfwd.prom")).wantCode(t, exit.OK).wantSilence(t)
	wantOnlyMetrics(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, "spoolfwd.prom"))
	if err != nil {
		t.Fatal(err)
	}
	wantNoText(t, "the file", string(text), "half a file")
}

func TestAMetricsFileThatCannotBeReadCountsFromZero(t *testing.T) {
	for name, content := range map[string]string{
		"empty":      "",
		"NUL":        strings.Repeat("\x00", 4096),
		"cut off":    "# HELP spoolfwd_runs_total Runs by exit code.\n# TYPE spoolfwd_runs_total counter\nspoolfwd_runs_total{name=\"central_listener\",exit_code=\"0\"} 41\nspoolfwd_runs_total{name=\"cen",
		"other kind": "# TYPE spoolfwd_runs_total histogram\nspoolfwd_runs_total_sum 3\n",
		"negative":   "# TYPE spoolfwd_runs_total counter\nspoolfwd_runs_total{name=\"central_listener\",exit_code=\"0\"} -3\n",
		"not finite": "# TYPE spoolfwd_runs_total counter\nspoolfwd_runs_total{name=\"central_listener\",exit_code=\"0\"} +Inf\n",
		"no number":  "# TYPE spoolfwd_runs_total counter\nspoolfwd_runs_total{name=\"central_listener\",exit_code=\"0\"} NaN\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			file := filepath.Join(t.TempDir(), "spoolfwd.prom")
			if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			w.do("run", "--metrics-file", file).wantCode(t, exit.OK).wantSilence(t)
			wantMetrics(t, file, map[string]string{of("spoolfwd_runs_total", "exit_code", "0"): "1"})
		})
	}
}

func TestTwoListenersThatShareAMetricsFileAreTold(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "spoolfwd.prom")
	w.do("run", "--metrics-file", file, "--name", "east").wantCode(t, exit.OK).wantSilence(t)
	r := w.do("run", "--metrics-file", file, "--name", "west").wantCode(t, exit.OK)
	wantText(t, "standard error", r.stderr, "held the metrics of breaker east, not west", "a --metrics-file of its own")
	wantMetrics(t, file, map[string]string{`spoolfwd_runs_total{name="west",exit_code="0"}`: "1"})
}

func TestOnlyARegularFileIsReplacedByMetrics(t *testing.T) {
	for _, c := range []struct {
		what string
		make func(path string) error
	}{
		{"a directory", func(p string) error { return os.Mkdir(p, 0o755) }},
		{"a symbolic link", func(p string) error { return os.Symlink("elsewhere", p) }},
		{"a FIFO", func(p string) error { return unix.Mkfifo(p, 0o600) }},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := newWorld(t)
			w.put("a.json", "{}")
			file := filepath.Join(t.TempDir(), "spoolfwd.prom")
			if err := c.make(file); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(file)
			r := w.do("run", "--metrics-file", file).wantCode(t, exit.Config)
			wantText(t, "standard error", r.stderr, "cannot write the metrics", file)
			after, err := os.Lstat(file)
			if err != nil || !os.SameFile(before, after) {
				t.Errorf("%s was replaced: %v", c.what, err)
			}
			if left := w.left(); len(left) != 0 {
				t.Errorf("metrics that cannot be written kept payloads from being delivered: %q", left)
			}
		})
	}
}

func TestAMetricsDirectoryThatIsMissingIsAnErrorAfterTheDelivery(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", "{}")
	file := filepath.Join(t.TempDir(), "missing", "spoolfwd.prom")
	r := w.do("run", "--metrics-file", file).wantCode(t, exit.IO)
	wantText(t, "standard error", r.stderr, "cannot write the metrics", "no such file or directory")
	if left := w.left(); len(left) != 0 {
		t.Errorf("left in the spool: %q", left)
	}
}
