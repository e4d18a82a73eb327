package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// Alerts and dashboards that watch what is not there are silent for ever.
func TestManualsAlertsAndDashboardsNameJustTheMetricsOfTheProgram(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "spoolfwd.prom")
	w.do("run", "--metrics-file", file).wantCode(t, exit.OK)
	all := matches(`(?m)^# HELP (\w+)`, readDoc(t, file))
	wantSame(t, manSpoolfwd, matches(`(?m)^\.It Cm (spoolfwd_\w+)$`, section(t, manSpoolfwd, ".Sh METRICS", ".Sh ")), all)
	docs := []string{readme, "../../CHANGELOG.md"}
	for _, pattern := range []string{"../../contrib/prometheus/*.yml", "../../contrib/grafana/*.json"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("nothing is at %s: %v", pattern, err)
		}
		docs = append(docs, found...)
	}
	for _, doc := range docs {
		for _, name := range matches(`\b(spoolfwd_[a-z_]+)`, readDoc(t, doc)) {
			if !slices.Contains(all, name) {
				t.Errorf("%s names the metric %s, which the program does not write", doc, name)
			}
		}
	}
}

func TestTheManualOfFakelistenerHasItsFlags(t *testing.T) {
	out, err := exec.Command(filepath.Join(buildCommands(t), "fakelistener"), "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, options, found := strings.Cut(string(out), "GLOBAL OPTIONS:\n")
	if !found {
		t.Fatalf("its help has no options:\n%s", out)
	}
	got := matches(`(?m)^\.It Fl (?:\w , )?-([a-z-]+)`, readDoc(t, manFakelistener))
	want := matches(`(?m)^   --([a-z-]+)`, options)
	wantSame(t, manFakelistener, got, want)
	if len(want) < 15 {
		t.Errorf("only %d flags were found in\n%s", len(want), options)
	}
}

// A flag that was renamed lives on in examples.
func TestNoDocumentNamesAFlagThatIsNotThere(t *testing.T) {
	known := []string{"version", "some-name", "now", "failed", "parallel"}       // of systemctl and curl the last three
	known = append(known, "system", "user-group", "groups", "home-dir", "shell") // of useradd
	known = append(known, "ignore-missing")                                      // of sha256sum
	known = append(known, "server", "user", "password", "tlsca")                 // of nats
	known = append(known, matches(`(?m)^\.It Fl (?:\w , )?-([a-z-]+)`, readDoc(t, manFakelistener))...)
	for _, s := range settings.New().Table {
		known = append(known, s.Name)
	}
	docs := []string{readme, "../../CHANGELOG.md", "../../CONTRIBUTING.md", "../../SECURITY.md", "../../contrib/packaging/spoolfwd.toml", "../../contrib/cron/spoolfwd.cron", "../../contrib/prometheus/alerts.yml"}
	for _, pattern := range []string{"../../contrib/man/*.[1-8]", "../../contrib/systemd/*.service", "../../contrib/*/README.md", "../../contrib/doc/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < 2 {
			t.Fatalf("at %s there is only %q: %v", pattern, found, err)
		}
		docs = append(docs, found...)
	}
	for _, doc := range docs {
		// In the manuals' running text a flag is Fl -name, in their examples --name.
		for _, name := range matches("(?m)(?:(?:^|[\\s`(])-|\\bFl )-([a-z][a-z-]+)", readDoc(t, doc)) {
			if !slices.Contains(known, name) {
				t.Errorf("%s names the flag --%s, which there is not", doc, name)
			}
		}
	}
}

func TestTheManualsAreCleanMdoc(t *testing.T) {
	mandoc := need.Program(t, "mandoc")
	for _, page := range []string{manSpoolfwd, manConfig, manFakelistener} {
		if out, err := exec.Command(mandoc, "-Tlint", "-Wwarning", page).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("mandoc -Tlint: %v\n%s", err, out)
		}
	}
}
