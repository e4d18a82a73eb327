package metrics

import (
	"bytes"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

func TestASuccessfulRunWritesEverySeriesOfTheTableAndNoOther(t *testing.T) {
	now := time.Unix(1e9, 0)
	got := Samples{}
	got.Backlog(spool.Page{}, 0, now)
	got.Rejected(0, 0)
	got.Report(drain.Report{})
	got.Breaker(breaker.Stats{}, false)
	got.Run(now, now, exit.OK, "1.2.3")
	f := File{Path: filepath.Join(t.TempDir(), "spoolfwd.prom"), Breaker: "east", Version: "1.2.3"}
	if _, err := f.Write(got); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	written, breakerName := parse(text, table("1.2.3"))
	if breakerName != "east" {
		t.Errorf("the file names breaker %q", breakerName)
	}
	for _, m := range table("1.2.3") {
		for _, head := range []string{"# HELP " + m.name + " " + m.help + "\n", "# TYPE " + m.name + " " + m.kind + "\n"} {
			if !strings.Contains(string(text), head) {
				t.Errorf("the file has no line %q", head)
			}
		}
		for _, s := range m.series() {
			if _, ok := written[s]; !ok {
				t.Errorf("the series %v is missing", s)
			}
			delete(got, s)
		}
	}
	for s := range got {
		t.Errorf("the series %v is not in the table", s)
	}
}

// Later runs read what a run wrote, and so does Prometheus: here its own parser does.
func TestPrometheusReadsWhatWasWritten(t *testing.T) {
	for _, name := range []string{"east", "a name with \"quotes\", {braces} and spaces", "Größe", `back\slash`, "two\nlines"} {
		t.Run(name, func(t *testing.T) {
			metrics := table("1.2.3")
			wrote := Samples{}
			for i, m := range metrics {
				for j, one := range m.series() {
					wrote[one] = []float64{0, 1, 0.25, 1.772366402e+09, 1e21, 1 << 53}[(i+j)%6]
				}
			}
			text := wrote.text(name, metrics)
			if read, breakerName := parse(text, metrics); breakerName != name || !maps.Equal(read, wrote) {
				t.Errorf("a later run reads %v of breaker %q, want %v", read, breakerName, wrote)
			}
			parser := expfmt.NewTextParser(model.UTF8Validation)
			families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range metrics {
				family := families[m.name]
				if family.GetHelp() != m.help || !strings.EqualFold(family.GetType().String(), m.kind) || len(family.GetMetric()) != len(m.series()) {
					t.Fatalf("Prometheus reads %v, want all series of %+v", family, m)
				}
				for i, one := range m.series() {
					got := family.GetMetric()[i]
					if value := got.GetGauge().GetValue() + got.GetCounter().GetValue(); value != wrote[one] {
						t.Errorf("Prometheus reads %v for %v, want %v", value, one, wrote[one])
					}
					labels := map[string]string{}
					for _, l := range got.GetLabel() {
						labels[l.GetName()] = l.GetValue()
					}
					want := map[string]string{"name": name}
					if m.label != "" {
						want[m.label] = one.label
					}
					if !maps.Equal(labels, want) {
						t.Errorf("Prometheus reads the labels %q, want %q", labels, want)
					}
				}
			}
		})
	}
}

// Two processes that write at once do not lose each other's counts: the second gives up and does
// not read counters that are about to change.
func TestMetricsAreLockedWhileTheyAreAddedUp(t *testing.T) {
	dir := t.TempDir()
	lock, err := breaker.TakeLock(filepath.Join(dir, ".spoolfwd.prom.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	_, err = File{Path: filepath.Join(dir, "spoolfwd.prom"), Breaker: "east"}.Write(Samples{})
	if err == nil || !strings.Contains(err.Error(), "locked by another process") || exit.Of(err) != exit.IO {
		t.Errorf("the second writer gets %v, exit code %d", err, exit.Of(err))
	}
}

// Counters that are read from any file are finite and not negative.
func FuzzParse(f *testing.F) {
	f.Add([]byte("# TYPE spoolfwd_runs_total counter\nspoolfwd_runs_total{name=\"x\",exit_code=\"0\"} 5\n"))
	f.Add([]byte("spoolfwd_runs_total 1e400"))
	f.Add([]byte("# TYPE spoolfwd_backlog_files summary\nspoolfwd_backlog_files{quantile=\"0.5\"} 1\n"))
	metrics := table("1.2.3")
	f.Fuzz(func(t *testing.T, text []byte) {
		before, _ := parse(text, metrics)
		for s, v := range before {
			if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%v is %v", s, v)
			}
		}
	})
}
