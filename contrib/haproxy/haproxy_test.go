// Package haproxy_test runs haproxy.cfg with Debian's HAProxy in front of two fake listeners and
// kills one of them while payloads are on their way.
//
// It needs Debian's package haproxy.
package haproxy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func TestBehindHAProxy(t *testing.T) {
	need.Program(t, "haproxy")
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin+"/", "../../cmd/spoolfwd", "../../cmd/fakelistener").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, test := range map[string]func(*world){
		"one listener dying mid-run loses nothing":             dyingMidRun,
		"a key comes back to the same listener":                sameListener,
		"when a listener dies only its keys move":              onlyItsKeysMove,
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

	// Failed items are deferred, and sent by a later run. If the breaker opened, flush waits for
	// it.
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
				t.Errorf("%s has the key %q, which is not its own", item, key)
			}
			keys[key] = true
		}
	}
	if len(arrived) != len(items) {
		t.Errorf("%d different items arrived, want %d", len(arrived), len(items))
	}
	if byListener["first"] < 40 || byListener["second"] < len(items)-byListener["first"] {
		t.Errorf("the listeners got %v: no listener died in the middle of the run", byListener)
	}
	t.Logf("%d items arrived %v times in all", len(items), byListener)
}

// About half of the keys go to each listener, and always to the same one: a listener that remembers
// keys sees its own again.
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

// The test needs three listeners: with two, the survivor's keys have nowhere else to go.
func onlyItsKeysMove(w *world) {
	t := w.t
	listeners := []*listener{w.listen("first"), w.listen("second"), w.listen("third")}
	w.balance(listeners[0], listeners[1], listeners[2])
	items := w.spoolItems(120)
	if err := os.CopyFS(filepath.Join(w.dir, "copy"), os.DirFS(w.spool)); err != nil {
		t.Fatal(err)
	}
	deliver := func() map[string]map[string]int { // key -> listener -> how often it had it so far
		// Items that a run could not deliver are deferred, and flush waits for them.
		for _, command := range [][]string{{"run"}, {"flush", "--wait", "20s"}} {
			cmd := w.spoolfwd(command[0], command[1:]...)
			if _ = cmd.Run(); cmd.ProcessState.ExitCode() != 0 && (command[0] == "flush" || cmd.ProcessState.ExitCode() != 69) {
				t.Fatalf("%s ended with %v: %s", command[0], cmd.ProcessState, cmd.Stderr)
			}
		}
		had := map[string]map[string]int{}
		for _, l := range listeners {
			for _, r := range l.delivered() {
				if had[r.key] == nil {
					had[r.key] = map[string]int{}
				}
				had[r.key][l.name]++
			}
		}
		return had
	}
	before := deliver()
	listeners[0].kill()
	if err := os.CopyFS(w.spool, os.DirFS(filepath.Join(w.dir, "copy"))); err != nil {
		t.Fatal(err)
	}
	after := deliver() // the same names and bytes, and so the same keys

	keys := map[string]int{} // listener -> how many are its own
	for key, had := range before {
		if len(had) != 1 {
			t.Errorf("the key %s came to %v while all three lived", key, had)
		}
		for home, times := range had {
			keys[home]++
			switch again := after[key]; {
			case home != "first" && len(again) != 1:
				t.Errorf("the key %s moved, though its listener lives: %v", key, again)
			case home != "first" && again[home] == times, home == "first" && len(again) == 1:
				t.Errorf("the key %s did not come again: %v", key, again)
			}
		}
	}
	if len(before) != len(items) || len(after) != len(items) {
		t.Errorf("%d keys arrived, and %d with the second time, want %d", len(before), len(after), len(items))
	}
	for _, l := range listeners {
		if keys[l.name] < len(items)/10 {
			t.Errorf("only %d of %d keys are those of the %s listener", keys[l.name], len(items), l.name)
		}
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
