package doc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
)

// A shape is a set of "path: type", such as "errors[].count: number". The shape of a JSON value
// holds for all values with the same keys and types.
type shape map[string]bool

// add collects the shape of a value. Absent and null are the same.
func (s shape) add(path string, v any) {
	switch v := v.(type) {
	case nil:
	case bool:
		s[path+": boolean"] = true
	case float64:
		s[path+": number"] = true
	case string:
		s[path+": string"] = true
	case []any:
		s[path+": array"] = true
		for _, element := range v {
			s.add(path+"[]", element)
		}
	case map[string]any:
		s[path+": object"] = true
		for key, member := range v {
			switch {
			case key == "payload": // anything
				s[path+".payload"] = true
			case strings.HasSuffix(path, ".statuses"): // the keys are data
				s.add(path+".*", member)
			default:
				s.add(path+"."+key, member)
			}
		}
	}
}

func (s shape) addText(t *testing.T, where, text string) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s is not JSON: %v\n%s", where, err, text)
	}
	s.add("", v)
}

// documented returns the shape below each heading of json.md.
func documented(t *testing.T) map[string]shape {
	t.Helper()
	text, err := os.ReadFile("json.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^```json\n(.*?)^```$")
	all := map[string]shape{}
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		all[heading] = shape{}
		for _, match := range block.FindAllStringSubmatch(body, -1) {
			all[heading].addText(t, "json.md, "+heading, match[1])
		}
	}
	return all
}

// program is spoolfwd with a spool, a state directory and a listener of its own.
type program struct {
	t        *testing.T
	dir, bin string
	env      []string
}

// start builds both commands and starts a listener. It answers 422 to an item with "bad", 500 to
// one with "ill", and 403 to one with "locked".
func start(t *testing.T) *program {
	t.Helper()
	p := &program{t: t, dir: t.TempDir(), bin: t.TempDir()}
	if out, err := exec.Command("go", "build", "-o", p.bin+"/", "../../cmd/...").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(p.dir, "spool"), 0o700); err != nil {
		t.Fatal(err)
	}
	listener := exec.CommandContext(t.Context(), filepath.Join(p.bin, "fakelistener"), "--listen", "127.0.0.1:0",
		"--match", "*bad*=422:body=no field url", "--match", "*ill*=500:body=out of order", "--match", "*locked*=403")
	ready, err := listener.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		listener.Process.Kill()
		listener.Wait()
	})
	var url string
	if _, err := fmt.Fscanln(ready, &url); err != nil {
		t.Fatal(err)
	}
	p.env = append(os.Environ(), "SPOOLFWD_URL="+url, "SPOOLFWD_MAX_ATTEMPTS=2",
		"SPOOLFWD_SPOOL="+filepath.Join(p.dir, "spool"), "SPOOLFWD_STATE_DIR="+filepath.Join(p.dir, "state"))
	return p
}

// prints runs a command and returns its standard output; the exit code is not of interest.
func (p *program) prints(input string, args ...string) string {
	p.t.Helper()
	out, _ := p.does(input, append(args, "--json")...)
	return out
}

// does runs a command, which must print something, and returns what.
func (p *program) does(input string, args ...string) (stdout, stderr string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), filepath.Join(p.bin, "spoolfwd"), args...)
	var out, messages strings.Builder
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.env, strings.NewReader(input), &out, &messages
	if err := cmd.Run(); err != nil && (!errors.As(err, new(*exec.ExitError)) || out.Len()+messages.Len() == 0) {
		p.t.Fatalf("spoolfwd %q prints nothing: %v", args, err)
	}
	return out.String(), messages.String()
}

// locked calls do while another process holds the lock.
func (p *program) locked(do func()) {
	p.t.Helper()
	lock, err := breaker.TakeLock(filepath.Join(p.dir, "state", "central_listener.lock"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer lock.Release()
	lock.Sign(time.Now())
	do()
}

// write puts a file into the spool.
func (p *program) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "spool", name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func TestTheJSONOfEveryCommandIsTheDocumentedOne(t *testing.T) {
	p := start(t)
	got := map[string]shape{}
	see := func(heading, text string) {
		t.Helper()
		if got[heading] == nil {
			got[heading] = shape{}
		}
		got[heading].addText(t, heading, text)
	}
	see("put", p.prints(`{"ill":1}`, "put"))
	see("put", p.prints(`[{"good":1},{"bad":1}]`, "put"))
	p.write("no.json", "no json")
	p.write("A.JSON", "{}")
	see("run --dry-run", p.prints("", "run", "--dry-run"))
	see("run and flush", p.prints("", "run"))
	see("run --dry-run", p.prints("", "run", "--dry-run")) // one attempt later
	see("status", p.prints("", "status"))
	p.locked(func() { see("status", p.prints("", "status")) })
	see("put", p.prints(`{"good":2}`, "put"))
	see("put", p.prints(`{"locked":1}`, "put"))
	see("run and flush", p.prints("", "flush"))
	see("rejected list and rejected show", p.prints("", "rejected", "list"))
	p.write("rejected/gone.json.reason.json", `{"file":"gone.json","time":"2026-11-25T18:00:47Z","attempts":1,"error":""}`)
	see("rejected list and rejected show", p.prints("", "rejected", "list"))
	see("rejected list and rejected show", p.prints("", "rejected", "show", "--all"))
	see("check", p.prints("", "check"))
	see("rejected retry and rejected remove", p.prints("", "rejected", "retry", "--status", "422"))
	see("rejected retry and rejected remove", p.prints("", "rejected", "remove", "--all"))
	for _, command := range []string{"show", "trip", "reset", "trip --for 1h"} {
		see("breaker show, reset and trip", p.prints("", append([]string{"breaker"}, strings.Fields(command)...)...))
	}
	seeState := func() {
		state, err := os.ReadFile(filepath.Join(p.dir, "state", "central_listener.state"))
		if err != nil {
			t.Fatal(err)
		}
		see("The state file", string(state))
	}
	seeState()
	p.prints("", "breaker", "reset")
	p.prints(`{"locked":2}`, "put")
	p.prints(`{"good":3}`, "put")
	for _, threshold := range []string{"5", "1", "1"} { // a failure, one that opens the breaker, a failed probe
		_, messages := p.does("", "run", "--failure-threshold", threshold, "--retry-timeout", "1ms", "--log-format", "json", "-v")
		for line := range strings.Lines(messages) {
			see("Messages", line)
		}
	}
	seeState()

	want := documented(t)
	for heading := range maps.Keys(want) {
		if len(got[heading]) == 0 {
			t.Errorf("json.md documents %q, and this test does not try it", heading)
		}
	}
	for heading, seen := range got {
		for _, what := range slices.Sorted(maps.Keys(seen)) {
			if !want[heading][what] {
				t.Errorf("%s: the program prints %s, which json.md does not document", heading, what)
			}
		}
		for _, what := range slices.Sorted(maps.Keys(want[heading])) {
			if !seen[what] {
				t.Errorf("%s: json.md documents %s, which the program does not print", heading, what)
			}
		}
	}
}

// The shapes hold what is printed. These hold what the tables say of it.
func TestTheTablesOfTheJSONNameEveryKeyAndEveryEvent(t *testing.T) {
	text, err := os.ReadFile("json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, run, _ := strings.Cut(string(text), "\n## run and flush\n")
	run, _, _ = strings.Cut(run, "\n## ")
	sample, table, _ := strings.Cut(run, "\n```\n")
	for _, key := range regexp.MustCompile(`(?m)^  "(\w+)"`).FindAllStringSubmatch(sample, -1) {
		if !strings.Contains(table, "`"+key[1]+"`") {
			t.Errorf("json.md does not say what %q of a run means", key[1])
		}
	}

	_, events, _ := strings.Cut(string(text), "\n| event | keys |\n")
	sources, err := filepath.Glob("../../cmd/spoolfwd/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("the program has no source: %v", err)
	}
	for _, path := range sources {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range regexp.MustCompile(`"event", "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
			if !strings.Contains(events, "`"+event[1]+"`") {
				t.Errorf("json.md does not name the event %q of %s", event[1], path)
			}
		}
	}
}
