// Package haproxy_test runs haproxy.cfg with Debian's HAProxy in front of two fake listeners and takes one of them away while
// payloads are on their way.
//
// It needs Debian's package haproxy. Without it a test says so and is skipped, except where CI=true: there it fails.
package haproxy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestBehindHAProxy(t *testing.T) {
	need(t)
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin+"/", "../../cmd/spoolfwd", "../../cmd/fakelistener").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, test := range map[string]func(*world){
		"one listener dying mid-run loses nothing":             dyingMidRun,
		"a key comes back to the same listener":                sameListener,
		"without any listener the spool keeps everything":      noListener,
		"a payload larger than HAProxy's buffer comes through": largePayload,
	} {
		t.Run(name, func(t *testing.T) { test(newWorld(t, bin)) })
	}
}

func dyingMidRun(w *world) {
	t := w.t
	first, second := w.listen("first"), w.listen("second")
	w.balance(first, second)
	items := w.spoolItems(240)

	run := w.spoolfwd("run", "--concurrency", "8")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	// Killed as a power cut would, with requests in flight.
	first.afterRequests(40)
	_ = first.cmd.Process.Kill()
	_ = run.Wait()
	code := run.ProcessState.ExitCode()
	if code != 0 && code != 69 {
		t.Fatalf("the run ended with %d: %s", code, run.Stderr)
	}
	t.Logf("the run ended with %d and left %d payload files", code, len(w.left()))

	// What failed is deferred, and sent by a later run. If the breaker opened,
	// flush waits for it.
	for range 3 {
		flush := w.spoolfwd("flush", "--wait", "20s")
		if err := flush.Run(); err != nil {
			t.Fatalf("flush: %v: %s", err, flush.Stderr)
		}
	}
	if left := w.left(); len(left) != 0 {
		t.Errorf("%d payload files are left, such as %s", len(left), left[0])
	}

	arrived := map[string]map[string]int{} // item -> key -> times
	byListener := map[string]int{}
	for _, l := range []*listener{first, second} {
		for _, r := range l.delivered() {
			if arrived[r.body] == nil {
				arrived[r.body] = map[string]int{}
			}
			arrived[r.body][r.key]++
			byListener[l.name]++
		}
	}
	keys := map[string]bool{}
	for _, item := range items {
		if len(arrived[item]) != 1 {
			t.Errorf("%s arrived under %d keys, want 1: %v", item, len(arrived[item]), arrived[item])
		}
		for key := range arrived[item] {
			if key == "" || keys[key] {
				t.Errorf("%s has the key %q, which is none of its own", item, key)
			}
			keys[key] = true
		}
	}
	if len(arrived) != len(items) {
		t.Errorf("%d different items arrived, want %d", len(arrived), len(items))
	}
	if byListener["first"] < 40 || byListener["second"] < len(items)-byListener["first"] {
		t.Errorf("the listeners got %v: nothing was learned about a listener that dies mid-run", byListener)
	}
	t.Logf("%d items arrived %v times in all", len(items), byListener)
}

// About half of the keys go to each, and in which half a key is does not depend
// on the run: a listener that remembers keys sees its own again.
func sameListener(w *world) {
	t := w.t
	first, second := w.listen("first"), w.listen("second")
	w.balance(first, second)
	items := w.spoolItems(60)
	if err := os.CopyFS(filepath.Join(w.dir, "copy"), os.DirFS(w.spool)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time with the same names and bytes, as after a crash
		if err := w.spoolfwd("run").Run(); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(w.spool, os.DirFS(filepath.Join(w.dir, "copy"))); err != nil {
			t.Fatal(err)
		}
	}
	where := map[string]string{}
	seen := 0
	for _, l := range []*listener{first, second} {
		got := l.delivered()
		if len(got) < len(items)/4 {
			t.Errorf("the %s listener got only %d of %d", l.name, len(got), 2*len(items))
		}
		for _, r := range got {
			if at, known := where[r.key]; known && at != l.name {
				t.Errorf("the key of %s came to both listeners", r.body)
			}
			where[r.key] = l.name
			seen++
		}
	}
	if len(where) != len(items) || seen != 2*len(items) {
		t.Errorf("%d keys came %d times, want %d and %d", len(where), seen, len(items), 2*len(items))
	}
}

func noListener(w *world) {
	t := w.t
	first, second := w.listen("first"), w.listen("second")
	w.balance(first, second)
	first.kill()
	second.kill()
	w.spoolItems(20)
	before := len(w.left())
	run := w.spoolfwd("run")
	if _ = run.Run(); run.ProcessState.ExitCode() != 69 {
		t.Errorf("the run ended with %v, want exit code 69: %s", run.ProcessState, run.Stderr)
	}
	if after := len(w.left()); after != before {
		t.Errorf("%d payload files are left of %d", after, before)
	}
	if said := fmt.Sprint(run.Stderr); !strings.Contains(said, "breaker central_listener opened after 5 failures") {
		t.Errorf("the breaker did not open: %s", said)
	}
}

func largePayload(w *world) {
	first, second := w.listen("first"), w.listen("second")
	w.balance(first, second)
	large := `{"pad":"` + strings.Repeat("x", 1<<20) + `"}`
	if err := os.WriteFile(filepath.Join(w.spool, "large.json"), []byte(large), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if run := w.spoolfwd("run"); run.Run() != nil {
		w.t.Fatalf("the run ended with %v: %s", run.ProcessState, run.Stderr)
	}
	got := append(first.delivered(), second.delivered()...)
	if len(got) != 1 || got[0].body != large {
		w.t.Errorf("%d payloads arrived, want the one that was sent", len(got))
	}
}
