package drain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

func TestAHealthyRunDeliversEverythingOldestFirst(t *testing.T) {
	w := newWorld(t)
	w.write("profile_b.json", `{"n":1}`, 3*time.Hour)
	w.write("profile_a.json", `{"n":3}`, time.Hour)
	w.write("buffer_1.json", `[ {"n":2,"i":0}, {"n":2,"i":1} ]`, 2*time.Hour)
	r := w.run()
	want := []string{`{"n":1}`, `{"n":2,"i":0}`, `{"n":2,"i":1}`, `{"n":3}`}
	if got := w.listener.bodies(); !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	equal(t, "delivered", r.Delivered, 4)
	equal(t, "removed files", r.Removed, 3)
	equal(t, "left", r.Left, 0)
	equal(t, "stop", r.Stop, drain.Drained)
	if left := w.names(); len(left) > 0 {
		t.Errorf("the spool still holds %q", left)
	}
	if state := names(t, w.stateDir); len(state) > 0 {
		t.Errorf("a run that changed nothing wrote %q", state)
	}
}

func TestTheBreakerOpensAfterExactlyItsThresholdAndStaysOpenForTheNextProcess(t *testing.T) {
	w := newWorld(t)
	w.config.Concurrency = 4
	w.writeMany("x", 20, time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return down() }

	r := w.run()
	equal(t, "requests until it opened", len(w.listener.bodies()), 5)
	equal(t, "failed", r.Failed, 5)
	equal(t, "left", r.Left, 20)
	equal(t, "stop", r.Stop, drain.BreakerOpen)

	w.now = w.now.Add(59 * time.Second)
	r = w.run()
	equal(t, "requests of the next process", len(w.listener.bodies()), 0)
	equal(t, "stop", r.Stop, drain.BreakerOpen)
	equal(t, "left, not counted", r.Left, -1)

	w.now = w.now.Add(time.Second)
	w.run()
	equal(t, "probes after the retry timeout", len(w.listener.bodies()), 1)

	w.now = w.now.Add(time.Minute)
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	r = w.run()
	equal(t, "delivered once it is back", r.Delivered, 20)
	equal(t, "left", r.Left, 0)
}

func TestAnArrayFileInPartDeliveredHoldsExactlyTheRest(t *testing.T) {
	w := newWorld(t)
	var items []string
	for i := range 100 {
		items = append(items, fmt.Sprintf(`{"i":%d}`, i))
	}
	w.write("buffer_1763848123.1234_0a1b2c3d.json", "["+strings.Join(items, ",")+"]", time.Hour)
	sent := 0
	w.listener.answer = func(string) transmit.Verdict {
		if sent++; sent > 40 {
			return fails(500)
		}
		return ok()
	}
	w.run()

	var left []json.RawMessage
	data, err := os.ReadFile(filepath.Join(w.dir, w.names()[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &left); err != nil {
		t.Fatalf("the rest is not an array: %v", err)
	}
	equal(t, "items left", len(left), 60)
	for i := range left {
		equal(t, "item left", string(left[i]), items[40+i])
	}

	w.now = w.now.Add(time.Minute)
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	w.run()
	once := map[string]int{}
	keys := map[string]string{}
	for _, r := range w.listener.good {
		once[string(r.Body)]++
		keys[r.Key] = string(r.Body)
	}
	for _, item := range items {
		equal(t, "deliveries of "+item, once[item], 1)
	}
	equal(t, "distinct keys", len(keys), 100)
	equal(t, "files left", len(w.names()), 0)
}

func TestEqualItemsOfAnArrayFileKeepDifferentKeysWhenOneIsDelivered(t *testing.T) {
	w := newWorld(t)
	w.config.Concurrency = 4
	w.write("buffer_1.json", `[{"a":1},{"a":1},{"b":2},{"a":1}]`, time.Hour)
	n := 0
	w.listener.answer = func(body string) transmit.Verdict {
		if body == `{"a":1}` {
			if n++; n == 2 {
				return fails(500)
			}
		}
		return ok()
	}
	w.run()
	w.now = w.now.Add(time.Minute)
	w.run()
	keys := map[string]bool{}
	for _, r := range w.listener.good {
		keys[r.Key] = true
	}
	equal(t, "deliveries", len(w.listener.good), 4)
	equal(t, "distinct keys among them", len(keys), 4)
}

func TestARefusedPayloadIsSetAsideWithItsReason(t *testing.T) {
	w := newWorld(t)
	w.write("bad.json", `{"bad":true}`, time.Hour)
	w.write("batch.json", `[{"good":1},{"bad":2},{"good":3}]`, time.Minute)
	w.write("junk.json", `{"cut off`, time.Minute)
	w.listener.answer = func(body string) transmit.Verdict {
		if strings.Contains(body, "bad") {
			v := refuses(422)
			v.Excerpt = []byte("no such field")
			return v
		}
		return ok()
	}
	r := w.run()
	equal(t, "rejected", r.Rejected, 3)
	equal(t, "failed and kept", r.Failed, 0)
	equal(t, "delivered", r.Delivered, 2)
	equal(t, "left in the spool", len(w.names()), 0)
	equal(t, "files in rejected/", len(w.rejected()), 3)
	data, err := os.ReadFile(filepath.Join(w.dir, spool.RejectedDir, "bad.json.reason.json"))
	if err != nil {
		t.Fatal(err)
	}
	var reason spool.Reason
	if err := json.Unmarshal(data, &reason); err != nil {
		t.Fatal(err)
	}
	equal(t, "status in the reason", reason.Status, 422)
	equal(t, "answer in the reason", reason.Answer, "no such field")
	equal(t, "attempts in the reason", reason.Attempts, 1)
}

func TestLimitsEndARunAndLeaveTheRest(t *testing.T) {
	for _, test := range []struct {
		name  string
		limit func(*drain.Config)
		want  int
	}{
		{"items", func(c *drain.Config) { c.MaxItems = 7 }, 7},
		{"bytes", func(c *drain.Config) { c.MaxBytes = 20 }, 3}, // of 7 bytes each
	} {
		for _, concurrency := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s at concurrency %d", test.name, concurrency), func(t *testing.T) {
				w := newWorld(t)
				w.config.Concurrency = concurrency
				test.limit(&w.config)
				w.writeMany("x", 10, time.Hour)
				r := w.run()
				if concurrency == 1 {
					equal(t, "requests", r.Requests, test.want)
				} else if r.Requests < test.want || r.Requests > test.want+concurrency-1 {
					t.Errorf("%d requests, want %d and at most those in flight more", r.Requests, test.want)
				}
				equal(t, "stop", r.Stop, drain.Limit)
				equal(t, "left", r.Left, 10-r.Requests)
			})
		}
	}
}

func TestACancelledRunLetsTheRequestInFlightEnd(t *testing.T) {
	w := newWorld(t)
	w.write("batch.json", `[1,2,3]`, time.Hour)
	ctx, cancel := context.WithCancel(context.Background())
	w.listener.answer = func(string) transmit.Verdict {
		cancel()
		return ok()
	}
	r := w.runContext(ctx)
	equal(t, "stop", r.Stop, drain.Cancelled)
	equal(t, "delivered", r.Delivered, 1)
	data, _ := os.ReadFile(filepath.Join(w.dir, "batch.json"))
	equal(t, "what is left of the batch", string(data), "[2,3]")
}

// The breaker would become half-open when asked, and a run that may send nothing makes no probe.
func TestARunThatIsCancelledBeforeItBeginsLeavesTheBreakerAsItIs(t *testing.T) {
	w := newWorld(t)
	w.config.Count, w.breaker.FailureThreshold = true, 1
	w.writeMany("buffer_", 5, time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return fails(500) }
	w.run()
	w.listener.bodies()
	for _, passed := range []time.Duration{0, time.Minute} {
		w.now = w.now.Add(passed)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r := w.runContext(ctx)
		equal(t, "stop", r.Stop, drain.Cancelled)
		equal(t, "files left", r.Left, 5)
		equal(t, "requests", len(w.listener.bodies()), 0)
		if state := w.read("../state/central_listener.state"); !strings.Contains(state, `"state":"open"`) {
			t.Errorf("after %v the breaker is not open any more: %s", passed, state)
		}
	}
}

// Rewritten for every item, an array file of ten thousand would be written ten thousand times.
func TestAnArrayFileIsRewrittenOnceWhenAllOfItWasSent(t *testing.T) {
	w := newWorld(t)
	w.config.Concurrency = 4
	items := make([]string, 1000)
	for i := range items {
		items[i] = fmt.Sprint(i)
	}
	w.write("buffer_1.json", "["+strings.Join(items, ",")+"]", time.Hour)
	path := filepath.Join(w.dir, "buffer_1.json")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var rewritten atomic.Int64
	w.listener.answer = func(body string) transmit.Verdict {
		if now, err := os.Stat(path); err != nil || !os.SameFile(before, now) {
			rewritten.Add(1)
		}
		if strings.HasSuffix(body, "50") {
			return fails(500)
		}
		return ok()
	}
	r := w.run()
	equal(t, "requests that found it rewritten", rewritten.Load(), 0)
	equal(t, "delivered", r.Delivered, 990)
	equal(t, "what is left", w.read("buffer_1.json"), "[50,150,250,350,450,550,650,750,850,950]")
}

func TestAnEmptyArrayIsRemovedUnsent(t *testing.T) {
	w := newWorld(t)
	w.write("buffer_1.json", " [ ] ", time.Hour)
	r := w.run()
	equal(t, "requests", r.Requests, 0)
	equal(t, "files left", len(w.names()), 0)
}

func TestAFileThatChangesWhileItIsSentStays(t *testing.T) {
	w := newWorld(t)
	w.write("x.json", `{"v":1}`, time.Hour)
	w.listener.answer = func(body string) transmit.Verdict {
		if body == `{"v":1}` {
			w.write("x.json", `{"v":2}`, 0)
		}
		return ok()
	}
	r := w.run()
	equal(t, "changed", r.Changed, 1)
	equal(t, "left", r.Left, 1)
	w.run()
	want := []string{`{"v":1}`, `{"v":2}`}
	if got := w.listener.bodies(); !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	equal(t, "files left", len(w.names()), 0)
}
