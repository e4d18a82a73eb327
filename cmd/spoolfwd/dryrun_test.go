package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestADryRunSaysWhatWouldBeSentInOrder(t *testing.T) {
	w := newWorld(t)
	w.put("z-first.json", `[1,2,3]`)
	w.put("a-second.json", `{}`)
	w.put("bad.json", `x`)
	if err := os.Symlink("/etc/passwd", filepath.Join(w.spool, "link.json")); err != nil {
		t.Fatal(err)
	}
	r := w.do("run", "--dry-run").wantCode(t, exit.OK)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if len(lines) != 4 {
		t.Fatalf("got %d lines, want 4:\n%s", len(lines), r.stdout)
	}
	wantText(t, "line 1", lines[0], "z-first.json: send 3 items, 3 bytes")
	wantText(t, "line 2", lines[1], "a-second.json: send 1 item, 2 bytes")
	wantText(t, "line 3", lines[2], "bad.json: reject: ")
	wantText(t, "line 4", lines[3], "would send 4 items from 2 payload files to "+w.listener.URL)

	r = w.do("flush", "--dry-run", "--json").wantCode(t, exit.OK)
	var got struct{ Files []planned }
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v:\n%s", err, r.stdout)
	}
	var names []string
	for _, f := range got.Files {
		names = append(names, f.Name)
	}
	if want := []string{"z-first.json", "a-second.json", "bad.json"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestADryRunMentionsAnOpenBreaker(t *testing.T) {
	w := openWorld(t, 1)
	r := w.do("run", "--dry-run").wantCode(t, exit.OK)
	wantText(t, "standard error", r.stderr, "breaker central_listener is open", "1m00s")
}
