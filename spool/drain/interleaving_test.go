package drain_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// TestUnderAnyInterleavingAnItemIsSentOnceARunAndNoneIsLost drains with several requests in flight
// whose answers come in any order, while somebody takes payload files away and the run may be
// cancelled at any moment. In a run, no item may be sent twice, except an item of a batch that was
// refused. Over all runs no item is delivered twice. In the end each is delivered or rejected, or
// was taken away. No item is rejected that the listener would accept alone.
func TestUnderAnyInterleavingAnItemIsSentOnceARunAndNoneIsLost(t *testing.T) {
	first := firstSeed(t)
	var sum happenings
	rounds := uint64(400)
	if !strings.HasPrefix(fastDir(t), "/dev/shm") {
		rounds = 40 // each file is synced to a disk
	}
	for n := range rounds {
		synctest.Test(t, func(t *testing.T) { // its clock makes every order of answers possible
			h := newThrong(t, first+n)
			h.play()
			sum.cancelled += h.cancelled
			sum.limited += h.limited
			sum.late += h.late
			sum.most = max(sum.most, h.most)
		})
		if t.Failed() {
			t.Fatalf("to play this round first: go test ./spool/drain -run AnyInterleaving -args -seed %d", first+n)
		}
	}
	t.Logf("%d runs cancelled, %d at their limit, %d answers too late, up to %d requests in flight",
		sum.cancelled, sum.limited, sum.late, sum.most)
	if sum.cancelled == 0 || sum.limited == 0 || sum.late == 0 || sum.most < 8 {
		t.Error("so little has happened that nothing is shown")
	}
}

// throng is one round.
type throng struct {
	*world
	mu     sync.Mutex // guards what is below
	rand   *rand.Rand
	format *batchListener

	spooled   map[string]bool // items; true: its file was taken away
	delivered map[string]int
	sent      map[string]int // in this run
	unpassed  map[string]int // of those, in a batch that failed or was refused
	failed    map[string]int // how often a good item has failed, in all runs
	requests  int            // in this run
	flying    int
	calm      bool
	end       time.Time // when the run is cancelled
	happenings
}

// happenings show that a round was not without incident.
type happenings struct {
	cancelled int // runs
	limited   int // runs that ended at a limit of items
	late      int // answers after the breaker had opened
	most      int // requests in flight
}

func newThrong(t *testing.T, seed uint64) *throng {
	base := fastDir(t)
	h := &throng{world: newWorldIn(t, base), rand: rand.New(rand.NewPCG(seed, 3)),
		spooled: map[string]bool{}, delivered: map[string]int{}, failed: map[string]int{}}
	h.now, h.clock = time.Now(), time.Now
	h.breaker.FailureThreshold = 1 + h.rand.IntN(10)
	h.config.Transmitter = h
	h.config.Concurrency = 2 + h.rand.IntN(15)
	h.config.PageSize = 1 + h.rand.IntN(30)
	h.config.MaxAttempts = 1 + h.rand.IntN(8)
	h.config.BatchFormat = []drain.Format{drain.NDJSON, drain.Array}[h.rand.IntN(2)]
	h.config.BatchItems = []int{1, 1, 2, 7}[h.rand.IntN(4)]
	h.format = newBatchListener(t, h.config.BatchFormat)
	return h
}

func (h *throng) play() {
	defer os.RemoveAll(filepath.Dir(h.dir))
	for n := range 30 {
		items := []string{h.item(n, 0)}
		content := items[0]
		if h.rand.IntN(2) == 0 {
			for i := range h.rand.IntN(16) {
				items = append(items, h.item(n, 1+i))
			}
			content = "[" + strings.Join(items, ",") + "]"
		}
		h.write(fmt.Sprintf("buffer_%02d.json", n), content, time.Duration(h.rand.IntN(60))*time.Second)
	}
	for range 3 + h.rand.IntN(6) {
		h.process()
	}
	h.calm = true
	h.config.Concurrency = 16
	for range 3 {
		h.process()
	}
	h.takeStock()
}

// item makes up an item. All items of some files, and few others, are bad: the listener never
// accepts them.
func (h *throng) item(file, n int) string {
	item := fmt.Sprintf(`{"file":%d,"item":%d}`, file, n)
	if file%8 < 2 || h.rand.IntN(20) == 0 {
		item = fmt.Sprintf(`{"bad":%d,"file":%d,"item":%d}`, []int{422, 500}[file%2], file, n)
	}
	h.spooled[item] = false
	return item
}

// process is one run.
func (h *throng) process() {
	h.sent, h.unpassed, h.requests = map[string]int{}, map[string]int{}, 0
	h.config.MaxItems = 0
	if !h.calm && h.rand.IntN(2) == 0 {
		h.config.MaxItems = 1 + h.rand.IntN(60)
	}
	before := len(h.delivered)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h.end = time.Time{}
	if !h.calm && h.rand.IntN(2) == 0 {
		in := time.Duration(h.rand.Int64N(int64(10 * time.Second)))
		h.end = time.Now().Add(in)
		defer time.AfterFunc(in, cancel).Stop()
	}
	var others sync.WaitGroup
	if !h.calm {
		others.Go(h.takeAway)
	}
	r := h.runContext(ctx)
	others.Wait()
	equal(h.t, "requests, as reported", r.Requests, h.requests)
	equal(h.t, "items delivered, as reported", r.Delivered, len(h.delivered)-before)
	if h.config.BatchItems == 1 && r.Stop != drain.LocalError {
		equal(h.t, "items sent, as reported", r.Delivered+r.Failed+r.Rejected, len(h.sent))
	}
	if most := h.config.MaxItems; most > 0 && (len(h.sent) > most || r.Stop == drain.Limit && len(h.sent) < most) {
		h.t.Errorf("%d items were sent, %d may be; the run's end: %v", len(h.sent), most, r.Stop)
	}
	if r.LateResults >= h.config.Concurrency {
		h.t.Errorf("%d answers were late, with %d requests in flight at most", r.LateResults, h.config.Concurrency)
	}
	switch r.Stop {
	case drain.Cancelled:
		h.cancelled++
	case drain.Limit:
		h.limited++
	}
	h.late += r.LateResults
	time.Sleep(time.Hour)
}

// takeAway removes payload files in the middle of a run.
func (h *throng) takeAway() {
	for range h.random(4) {
		time.Sleep(time.Duration(h.random(3_000_000)) * time.Microsecond)
		names := slices.DeleteFunc(h.names(), func(name string) bool { return !strings.HasPrefix(name, "buffer_") })
		if len(names) == 0 {
			return
		}
		name := names[h.random(len(names))]
		items := itemsOf(h.t, h.read(name))
		if err := os.Remove(filepath.Join(h.dir, name)); err != nil {
			h.t.Error(err)
		}
		h.mu.Lock()
		for _, item := range items {
			h.spooled[item] = true
		}
		h.mu.Unlock()
	}
}

func (h *throng) random(n int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rand.IntN(n)
}

// Send is a request. It takes a while.
func (h *throng) Send(_ context.Context, r transmit.Request) transmit.Verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	items := []string{string(r.Body)}
	if h.config.BatchItems > 1 {
		items = h.format.split(r)
	}
	h.requests++
	h.flying++
	h.most = max(h.most, h.flying)
	if now := time.Now(); !h.end.IsZero() && now.After(h.end) {
		h.t.Errorf("a request is begun %v after the run was cancelled", now.Sub(h.end))
	}
	for _, item := range items {
		if h.sent[item]++; h.sent[item] > 1+h.unpassed[item] {
			h.t.Errorf("%s is sent %d times in a run, after %d batches that did not pass", item, h.sent[item], h.unpassed[item])
		}
	}
	took := time.Duration(1 + h.rand.Int64N(int64(time.Second)))
	h.mu.Unlock()
	time.Sleep(took) // of the bubble's time, as everywhere here
	h.mu.Lock()
	h.flying--
	v := h.verdict(items)
	for _, item := range items {
		switch {
		case v.Action == transmit.Delivered:
			h.delivered[item]++
		case len(items) > 1:
			h.unpassed[item]++
		}
	}
	return v
}

func (h *throng) verdict(items []string) transmit.Verdict {
	if h.calm {
		return ok()
	}
	for _, item := range items {
		switch {
		case strings.HasPrefix(item, `{"bad":422`):
			return refuses([]int{400, 413, 422}[h.rand.IntN(3)])
		case strings.HasPrefix(item, `{"bad":500`):
			return fails(500)
		}
	}
	if h.rand.IntN(4) > 0 {
		return ok()
	}
	for _, item := range items { // a good item never fails so often that it may be rejected for that
		if h.failed[item]++; h.failed[item] >= h.config.MaxAttempts {
			return ok()
		}
	}
	switch h.rand.IntN(4) {
	case 0:
		return down()
	case 1:
		v := fails(429)
		v.RetryAfter = time.Duration(h.rand.IntN(100)) * time.Second
		return v
	}
	return fails(500)
}

// takeStock looks where every item is in the end.
func (h *throng) takeStock() {
	rejected := map[string]int{}
	for _, name := range h.rejected() {
		rejected[h.read(filepath.Join("rejected", name))]++
	}
	for item, taken := range h.spooled {
		if rejected[item] > 0 && isGood(item) {
			h.t.Errorf("%s is good and was rejected", item)
		}
		places := h.delivered[item] + rejected[item]
		if places > 1 || places == 0 && !taken {
			h.t.Errorf("%s was delivered %d times and is in rejected/ %d times; its file taken away: %v", item, h.delivered[item], rejected[item], taken)
		}
	}
	for item := range h.delivered {
		if _, known := h.spooled[item]; !known {
			h.t.Errorf("%s was delivered and never spooled", item)
		}
	}
	equal(h.t, "files left", len(h.names()), 0)
}
