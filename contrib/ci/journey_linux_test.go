package ci_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// helpers serve many steps of the journey, or look for something that a healthy payload does not
// have. A newcomer who follows the payload need not stop at them.
var helpers = []string{
	"breaker/lockholder.go", "breaker/micros.go", "breaker/statefile/statefile.go",
	"cmd/spoolfwd/internal/console/words.go", "cmd/spoolfwd/signal.go",
	"spool/drain/reject.go", "spool/overflow.go", "spool/peek.go", "spool/sys.go", "spool/sys_linux.go", "spool/unfinished_linux.go", "spool/unmatched.go",
	"breaker/statefile/json.go", "breaker/stats.go", "spool/transmit/check.go", "spool/transmit/h1/error.go",
}

// The table in CONTRIBUTING.md is how newcomers find their way. It must not outlive the code, and a
// new file on the way must not be missing in it.
func TestTheFilesThatAPayloadCrossesAreThoseThatCONTRIBUTINGNames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, journey, _ := strings.Cut(string(text), "\n## The journey of one payload\n")
	journey, _, _ = strings.Cut(journey, "\n## ")
	journey, _, _ = strings.Cut(journey, "\n\nData flows")
	var known []string
	for _, link := range regexp.MustCompile(`\]\(([\w/]+\.go)\)`).FindAllStringSubmatch(journey, -1) {
		known = append(known, link[1])
	}
	if !strings.Contains(journey, " "+strconv.Itoa(len(known))+" files") {
		t.Errorf("the table names %d files, the sentence above it another number", len(known))
	}
	known = append(known, helpers...)
	idle, crossed := countsOfARun(t, nil), countsOfARun(t, []byte(`{"a":1}`))
	for _, file := range known {
		if crossed[file] == "" {
			t.Errorf("a payload does not cross %s", file)
		}
	}
	// A file that does the same without a payload belongs to the start or the end of the program.
	for file, counts := range crossed {
		if counts != idle[file] && !slices.Contains(known, file) {
			t.Errorf("a payload crosses %s, which is neither in CONTRIBUTING.md nor a helper", file)
		}
	}
}

// countsOfARun lets a run deliver one payload file, or none. It returns how often each statement
// was executed, by file; files of which nothing was executed are missing.
func countsOfARun(t *testing.T, payload []byte) map[string]string {
	t.Helper()
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer listener.Close()
	url := strings.Replace(listener.URL, "127.0.0.1", "localhost", 1) // a name, so that it is looked up
	dir := t.TempDir()
	spool, counters, profile := filepath.Join(dir, "spool"), filepath.Join(dir, "counters"), filepath.Join(dir, "profile")
	for _, d := range []string{spool, counters} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if payload != nil {
		if err := os.WriteFile(filepath.Join(spool, "a.json"), payload, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "spoolfwd")
	for _, command := range [][]string{
		{"go", "build", "-cover", "-covermode=count", "-coverpkg", module + "/...", "-o", program, module + "/cmd/spoolfwd"},
		{program, "run", "--url", url, "--spool", spool, "--state-dir", filepath.Join(dir, "state")},
		{"go", "tool", "covdata", "textfmt", "-i", counters, "-o", profile},
	} {
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "GOCOVERDIR="+counters)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", command, err, out)
		}
	}
	text, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) { // MODULE/FILE:FROM,TO STATEMENTS COUNT
		file, counts, _ := strings.Cut(line, ":")
		if !strings.HasSuffix(counts, " 0\n") {
			all[strings.TrimPrefix(file, module+"/")] += counts
		}
	}
	return all
}
