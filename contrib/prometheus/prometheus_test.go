// Package prometheus_test checks the alerts, the dashboard and the metrics file with Prometheus'
// own tools: the alerts fire when they should, every query of the dashboard is valid, and
// node_exporter's textfile collector serves the metrics that a run has written.
//
// It needs Debian's packages prometheus and prometheus-node-exporter.
package prometheus_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func TestAlertsFireWhenTheyShouldAndNotBefore(t *testing.T) {
	out, err := exec.Command(need.Program(t, "promtool", "prometheus"), "test", "rules", "alerts_test.yml").CombinedOutput()
	if err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}
}

func TestEveryAlertIsTested(t *testing.T) {
	rules, tests := read(t, "alerts.yml"), read(t, "alerts_test.yml")
	names := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	if len(names) == 0 {
		t.Fatal("there are no alerts")
	}
	for _, name := range names {
		if !regexp.MustCompile(`alertname: ` + name[1] + `\n\s+eval_time: \w+\n\s+exp_alerts:\n`).MatchString(tests) {
			t.Errorf("%s is never expected to fire", name[1])
		}
	}
}

// promtool does not know dashboards. Every query therefore becomes a rule, with Grafana's variables
// filled in as Grafana does.
func TestEveryQueryOfTheDashboardIsValid(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	fill := strings.NewReplacer("$__rate_interval", "5m", "$__interval", "1m", "$instance", ".*", "$name", ".*")
	queries := dashboardQueries(t)
	for i, q := range queries {
		fmt.Fprintf(&rules, "  - record: query%d\n    expr: %q\n", i, fill.Replace(q))
	}
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(need.Program(t, "promtool", "prometheus"), "check", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("promtool check rules: %v\n%s\n%s", err, out, rules.String())
	}
	if len(queries) < 10 {
		t.Errorf("only %d queries were found in the dashboard", len(queries))
	}
}

// dashboardQueries returns every "expr" of the dashboard, wherever it stands.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	var document any
	if err := json.Unmarshal([]byte(read(t, "../grafana/spoolfwd.json")), &document); err != nil {
		t.Fatal(err)
	}
	var queries []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			for key, value := range v {
				if text, ok := value.(string); ok && key == "expr" {
					queries = append(queries, text)
				}
				walk(value)
			}
		}
	}
	walk(document)
	return queries
}

// The file is in a directory of the run, and node_exporter's directory holds a link to it: the
// run's user needs no rights there.
func TestNodeExporterServesTheMetricsOfARun(t *testing.T) {
	exporter := need.Program(t, "prometheus-node-exporter")
	dir := t.TempDir()
	binary, spool, collected := filepath.Join(dir, "spoolfwd"), filepath.Join(dir, "spool"), filepath.Join(dir, "collected")
	for _, d := range []string{spool, collected} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/spoolfwd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Symlink(filepath.Join(dir, "state", "spoolfwd.prom"), filepath.Join(collected, "spoolfwd.prom")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(spool, "a.json"), []byte(`{"a": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	// Nothing listens on port 1: the run fails, which is when metrics matter.
	run := exec.Command(binary, "run", "--spool", spool, "--state-dir", filepath.Join(dir, "state"), "--url", "http://127.0.0.1:1/",
		"--metrics-file", filepath.Join(dir, "state", "spoolfwd.prom"))
	if out, _ := run.CombinedOutput(); run.ProcessState.ExitCode() != 69 {
		t.Fatalf("the run ended with %v, want exit code 69\n%s", run.ProcessState, out)
	}

	scraped := scrape(t, exporter, collected)
	written := read(t, filepath.Join(dir, "state", "spoolfwd.prom"))
	served := map[string]bool{}
	for line := range strings.Lines(scraped) {
		served[sortedLabels(line)] = true
	}
	lines := 0
	for line := range strings.Lines(written) {
		lines++
		if !served[sortedLabels(line)] {
			t.Errorf("node_exporter does not serve %s", line)
		}
	}
	for _, want := range []string{
		`spoolfwd_backlog_files{name="central_listener"} 1`,
		`spoolfwd_requests_total{class="none",name="central_listener"} 1`,
		`node_textfile_scrape_error 0`,
	} {
		if !served[want+"\n"] {
			t.Errorf("node_exporter does not serve %s, but\n%s", want, scraped)
		}
	}
	if lines < 40 {
		t.Errorf("the run wrote only %d lines:\n%s", lines, written)
	}
}

// sortedLabels puts the labels of a series into the order of node_exporter.
func sortedLabels(line string) string {
	m := regexp.MustCompile(`^(\w+)\{(name="[^"]*"),(\w+="[^"]*")\}(.*\n)$`).FindStringSubmatch(line)
	if m == nil || m[3] > m[2] {
		return line
	}
	return m[1] + "{" + m[3] + "," + m[2] + "}" + m[4]
}

// scrape starts node_exporter on a free port, with the textfile collector alone, and returns what
// it serves.
func scrape(t *testing.T, exporter, dir string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), exporter, "--collector.disable-defaults", "--collector.textfile",
		"--collector.textfile.directory="+dir, "--web.listen-address=127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	said, address := "", ""
	for lines := bufio.NewScanner(stderr); address == "" && lines.Scan(); {
		said += lines.Text() + "\n"
		if m := regexp.MustCompile(`Listening on.* address=(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			address = m[1]
		}
	}
	if address == "" {
		t.Fatalf("node_exporter does not say where it listens:\n%s", said)
	}
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return string(text)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
