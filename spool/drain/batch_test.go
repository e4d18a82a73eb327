package drain_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

func TestBatchesCarryEveryItemOnceAndRespectTheirLimits(t *testing.T) {
	for _, format := range []drain.Format{drain.NDJSON, drain.Array} {
		t.Run(fmt.Sprint(format), func(t *testing.T) {
			w := newWorld(t)
			l := newBatchListener(t, format)
			w.config.Transmitter, w.config.BatchFormat = l, format
			w.config.BatchItems, w.config.BatchBytes = 16, 100
			w.writeMany("x", 50, time.Hour)
			w.write("buffer_1.json", `[{"a":1},{"a":2},{"a":1}]`, time.Minute)
			r := w.run()
			equal(t, "delivered", r.Delivered, 53)
			equal(t, "kinds of items", len(l.items), 52)
			equal(t, "files left", len(w.names()), 0)
			for _, n := range l.requests {
				if n > 100/len(`{"x":0}`) {
					t.Errorf("a request held %d items, more than 100 bytes", n)
				}
			}
			if len(l.requests) > 12 {
				t.Errorf("%d requests for 53 items", len(l.requests))
			}
		})
	}
}

func TestALineBreakInsideAnItemBecomesASpaceInNDJSON(t *testing.T) {
	w := newWorld(t)
	l := newBatchListener(t, drain.NDJSON)
	w.config.Transmitter, w.config.BatchItems = l, 10
	w.write("pretty.json", "{\n  \"a\":\r\n \"b\\n\"\n}\n", time.Hour)
	w.run()
	equal(t, "items", fmt.Sprint(l.items), `map[{   "a":   "b\n" } :1]`)
}

func TestOneBadItemOfABatchIsFoundWithAFewRequestsMore(t *testing.T) {
	for _, n := range []int{2, 7, 64, 100} {
		for _, at := range []int{0, n / 2, n - 1} {
			t.Run(fmt.Sprintf("number %d of %d", at, n), func(t *testing.T) {
				w := newWorld(t)
				l := newBatchListener(t, drain.Array)
				w.config.Transmitter, w.config.BatchFormat, w.config.BatchItems = l, drain.Array, n
				w.writeMany("warm", 2*n, 2*time.Hour) // until the batches have grown
				var items []string
				for i := range n {
					if i == at {
						items = append(items, `{"bad":1}`)
					} else {
						items = append(items, fmt.Sprintf(`{"i":%d}`, i))
					}
				}
				w.write("buffer_1.json", "["+strings.Join(items, ",")+"]", time.Hour)
				r := w.run()
				equal(t, "delivered", r.Delivered, 3*n-1)
				equal(t, "rejected", r.Rejected, 1)
				equal(t, "stop", r.Stop, drain.Drained)
				equal(t, "files left", len(w.names()), 0)
				if most := bits.Len(uint(n)) + 1; l.bad > most {
					t.Errorf("%d requests were refused to find it, want at most %d", l.bad, most)
				}
			})
		}
	}
}

func TestAListenerThatRefusesEveryBatchCostsAsManyPayloadsAsTheThreshold(t *testing.T) {
	w := newWorld(t)
	w.config.BatchItems = 100
	w.writeMany("x", 300, time.Hour)
	taken := 0
	w.listener.answer = func(string) transmit.Verdict {
		if taken++; taken > 7 { // 1, 2, 4 ... 64 items: the batches have grown
			return refuses(400)
		}
		return ok()
	}
	r := w.run()
	equal(t, "rejected", r.Rejected, 5)
	equal(t, "stop", r.Stop, drain.BreakerOpen)
	equal(t, "everything is accounted for", r.Delivered+r.Rejected+len(w.names()), 300)
}

func TestABatchThatIsTooLargeIsHalvedAndNothingRejected(t *testing.T) {
	w := newWorld(t)
	l := newBatchListener(t, drain.NDJSON)
	l.max = 10
	w.config.Transmitter, w.config.BatchItems = l, 100
	w.writeMany("x", 200, time.Hour)
	r := w.run()
	equal(t, "delivered", r.Delivered, 200)
	equal(t, "rejected", r.Rejected, 0)
	tooLarge := 0
	for _, n := range l.requests {
		if n > l.max {
			tooLarge++
		}
	}
	equal(t, "batches that were too large", tooLarge, 1)
}

func TestAListenerThatDoesNotTakeBatchesCostsNothing(t *testing.T) {
	w := newWorld(t)
	w.config.BatchItems = 10
	w.writeMany("x", 20, time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return refuses(415) }
	r := w.run()
	equal(t, "rejected", r.Rejected, 0)
	equal(t, "files left", len(w.names()), 20)
}

// TestBatchesLoseNothing refuses batches at random, for any reason, kills runs in the middle of
// one, and takes stock: no item is lost, and no good one is rejected.
func TestBatchesLoseNothing(t *testing.T) {
	first := firstSeed(t)
	crashes := 0
	for n := range uint64(200) {
		crashes += playBatches(t, first+n)
		if t.Failed() {
			t.Fatalf("to play this round first: go test ./spool/drain -run BatchesLoseNothing -args -seed %d", first+n)
		}
	}
	t.Logf("seed %d: %d crashes", first, crashes)
}

func playBatches(t *testing.T, seed uint64) (crashes int) {
	base := fastDir(t)
	defer os.RemoveAll(base)
	w := newWorldIn(t, base)
	random := rand.New(rand.NewPCG(seed, 2))
	l := newBatchListener(t, []drain.Format{drain.NDJSON, drain.Array}[seed%2])
	m := &moody{batchListener: l, random: random}
	w.config.BatchItems, w.config.BatchBytes = 2+random.IntN(20), int64(50+random.IntN(500))
	w.config.BatchFormat, w.config.Transmitter = l.format, m
	w.config.MaxAttempts = 1 + random.IntN(5)
	w.breaker.FailureThreshold = 1 + random.IntN(5)
	const fileItems = 11
	good := map[string]bool{}
	for i := range 10 {
		var items []string
		for j := range random.IntN(fileItems + 1) {
			items = append(items, fmt.Sprintf(`{"%s":%d}`, []string{"n", "n", "n", "n", "bad", "chokes"}[random.IntN(6)], 100*i+j))
			good[items[j]] = strings.HasPrefix(items[j], `{"n"`)
		}
		w.write(fmt.Sprintf("buffer_%d.json", i), "["+strings.Join(items, ",")+"]", time.Hour)
	}
	w.writeMany("x", 20, time.Hour)
	for i := range 20 {
		good[fmt.Sprintf(`{"x":%d}`, i)] = true
	}
	for range 40 {
		m.crashIn = -1
		if random.IntN(10) == 0 {
			m.crashIn = random.IntN(5)
		}
		if diesIn(func() { w.run() }) {
			crashes++
		}
		w.now = w.now.Add(time.Hour)
	}
	elsewhere := map[string]int{} // rejected or left
	for _, name := range w.rejected() {
		item := w.read("rejected/" + name)
		elsewhere[item]++
		if good[item] {
			t.Errorf("%s is good and was rejected", item)
		}
	}
	for _, name := range w.names() {
		for _, item := range itemsOf(t, w.read(name)) {
			elsewhere[item]++
		}
	}
	again := 0
	for item, isGood := range good {
		places := l.items[item] + elsewhere[item]
		switch {
		case places == 0:
			t.Errorf("%s is lost", item)
		case !isGood && l.items[item] > 0:
			t.Errorf("the listener took %s", item)
		}
		again += max(0, places-1)
	}
	// After a crash, the items of the request come again, and the delivered items of the one array
	// file that earlier requests had begun and not ended.
	if most := crashes * (w.config.BatchItems + fileItems); again > most {
		t.Errorf("%d items are in two places or were delivered again after %d crashes, more than %d", again, crashes, most)
	}
	return crashes
}
