package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestStatusShowsBreakerAndSpool(t *testing.T) {
	w := newWorld(t)
	w.put("bad.json", `x`)
	w.put("a.json", `[1,2]`)
	w.put("b.json", `{}`)
	w.pass(time.Minute)
	w.answer(http.StatusInternalServerError)
	w.do("run", "--failure-threshold", "2").wantCode(t, exit.Rejected)
	r := w.do("status", "--url", "http://user:pw@example.com/x?token=1").wantCode(t, exit.OK)
	wantText(t, "the text", r.stdout, "central_listener: open, next probe in 1m00s", "2 in a row", "2 payload files, 7 bytes", "a.json, 1m01s", "1 payload, 1 byte", "http://example.com/x?...")
	wantNoText(t, "the text", r.stdout, "pw", "token=1")

	r = w.do("status", "--json").wantCode(t, exit.OK)
	var got statusReport
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v:\n%s", err, r.stdout)
	}
	if got.Available || got.Breaker.FailureCount != 2 || got.Spool.Files != 2 || got.Spool.Deferred != 0 || got.Rejected.Files != 1 || got.Listener.Timeout != 5 {
		t.Errorf("got %+v", got)
	}
}

func TestStatusCheckListAndDryRunChangeNothing(t *testing.T) {
	for name, prepare := range map[string]func(*world){
		"fresh":        func(*world) {},
		"open breaker": func(w *world) { w.do("breaker trip") },
		"due to probe": func(w *world) { w.do("breaker trip"); w.pass(time.Hour) },
		"broken state": func(w *world) {
			if err := os.MkdirAll(w.state, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(w.state, "central_listener.state"), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"clock gone back": func(w *world) { w.do("breaker trip"); w.pass(-24 * 365 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put("a.json", `{}`)
			w.put("bad.json", `x`)
			prepare(w)
			before := w.snapshot()
			for _, command := range []string{"status", "breaker show", "check", "rejected list"} {
				w.do(command)
				w.do(command, "--json")
			}
			w.do("status", "--check")
			w.do("run", "--dry-run")
			w.do("flush", "--dry-run", "--json")
			if after := w.snapshot(); after != before {
				t.Errorf("something changed:\n%s\nbecame\n%s", before, after)
			}
			if n := len(w.received()); n != 0 {
				t.Errorf("%d payloads were sent", n)
			}
		})
	}
}

func TestStatusCheckIsANagiosPlugin(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*world)
		args    []string
		code    exit.Code
		says    string
	}{
		{"healthy", func(w *world) {}, nil, 0, "SPOOLFWD OK - breaker closed, 1 payload file"},
		{"old enough to warn", func(w *world) { w.pass(11 * time.Minute) }, nil, 1, "SPOOLFWD WARNING - oldest payload file is 11m00s old"},
		{"old enough to alarm", func(w *world) { w.pass(61 * time.Minute) }, nil, 2, "SPOOLFWD CRITICAL - oldest"},
		{"thresholds of one's own", func(w *world) { w.pass(3 * time.Minute) }, []string{"--critical-age", "2m"}, 2, "SPOOLFWD CRITICAL"},
		{"thresholds off", func(w *world) { w.pass(300 * time.Hour) }, []string{"--critical-age", "0", "--warning-age", "0"}, 0, "SPOOLFWD OK"},
		{"many files", func(w *world) { w.put("b.json", "{}"); w.put("c.json", "{}") }, []string{"--warning-files", "2"}, 1, "3 payload files wait"},
		{"too many files", func(w *world) { w.put("b.json", "{}") }, []string{"--warning-files", "1", "--critical-files", "1"}, 2, "2 payload files wait"},
		{"open breaker", func(w *world) { w.do("breaker trip") }, nil, 1, "breaker central_listener is open"},
		{"rejected payloads", func(w *world) { w.put("x.json", "x"); w.do("run") }, nil, 1, "1 payload rejected"},
		{"wrong flags", func(w *world) {}, []string{"--warning-age", "x"}, 3, "SPOOLFWD UNKNOWN - --warning-age:"},
		{"no spool", func(w *world) { os.RemoveAll(w.spool) }, nil, 3, "SPOOLFWD UNKNOWN - spool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.put("a.json", `{}`)
			c.prepare(w)
			r := w.do("status", append(c.args, "--check")...).wantCode(t, c.code)
			wantText(t, "the line", r.stdout, c.says)
			if strings.Count(r.stdout, "\n") != 1 || r.stderr != "" {
				t.Errorf("a plugin prints one line:\n%s%s", r.stdout, r.stderr)
			}
			if !regexp.MustCompile(`^SPOOLFWD [A-Z]+ - [^|]+( \| ([a-z_]+=[0-9]+(s|B)?;[0-9]*;[0-9]*;0(;1)? ?)+)?\n$`).MatchString(r.stdout) {
				t.Errorf("monitoring will not understand %q", r.stdout)
			}
		})
	}
}

func TestTheBreakerIsTrippedAndResetByHand(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", `{}`)
	r := w.do("breaker trip", "--for", "2h").wantCode(t, exit.OK)
	wantText(t, "trip", r.stdout, "central_listener is open by hand, next probe in 2h00m")
	w.pass(119 * time.Minute)
	w.do("run").wantCode(t, exit.Left).wantSilence(t)
	r = w.do("breaker show").wantCode(t, exit.OK)
	wantText(t, "show", r.stdout, "open by hand, next probe in 1m00s")
	w.do("breaker reset", "--json").wantCode(t, exit.OK)
	r = w.do("breaker show", "--json").wantCode(t, exit.OK)
	var stats struct {
		State string `json:"state"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &stats); err != nil || stats.State != "closed" {
		t.Errorf("after a reset the state is %q, %v", stats.State, err)
	}
	w.do("run").wantCode(t, exit.OK).wantSilence(t)
	w.do("breaker trip").wantCode(t, exit.OK)
	w.pass(time.Minute)
	r = w.do("breaker show").wantCode(t, exit.OK)
	wantText(t, "show", r.stdout, "half-open, the next run may probe")
}
