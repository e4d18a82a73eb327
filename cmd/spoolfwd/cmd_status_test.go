package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
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
