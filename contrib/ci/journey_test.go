package ci_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The table in CONTRIBUTING.md is how newcomers find their way. It must not outlive the code.
func TestAPayloadCrossesTheFilesThatCONTRIBUTINGNames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, journey, _ := strings.Cut(string(text), "\n## The journey of one payload\n")
	journey, _, _ = strings.Cut(journey, "\n## ")
	named := regexp.MustCompile(`\]\(([\w/]+\.go)\)`).FindAllStringSubmatch(journey, -1)
	if !strings.Contains(journey, " "+strconv.Itoa(len(named))+" files") {
		t.Errorf("the table names %d files, the sentence above it another number", len(named))
	}
	crossed := filesCrossedByAPayload(t)
	for _, file := range named {
		if !crossed[file[1]] {
			t.Errorf("a payload does not cross %s", file[1])
		}
	}
}

// filesCrossedByAPayload lets a run deliver one payload file and returns the files of whose code
// something was executed.
func filesCrossedByAPayload(t *testing.T) map[string]bool {
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
	if err := os.WriteFile(filepath.Join(spool, "a.json"), []byte(`{"a":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "spoolfwd")
	for _, command := range [][]string{
		{"go", "build", "-cover", "-coverpkg", module + "/...", "-o", program, module + "/cmd/spoolfwd"},
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
	crossed := map[string]bool{}
	for line := range strings.Lines(string(text)) { // MODULE/FILE:FROM,TO STATEMENTS COUNT
		file, counts, _ := strings.Cut(strings.TrimSpace(line), ":")
		if !strings.HasSuffix(counts, " 0") {
			crossed[strings.TrimPrefix(file, module+"/")] = true
		}
	}
	return crossed
}
