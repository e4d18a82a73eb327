package drain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// batchListener takes batches apart again, and refuses those that hold a bad
// item, as a whole.
type batchListener struct {
	t        *testing.T
	format   drain.Format
	max      int // items; more are answered with 413
	requests []int
	bad      int // requests refused
	items    map[string]int
	keys     map[string]string
}

func newBatchListener(t *testing.T, format drain.Format) *batchListener {
	return &batchListener{t: t, format: format, items: map[string]int{}, keys: map[string]string{}}
}

func (l *batchListener) Send(_ context.Context, r transmit.Request) transmit.Verdict {
	items := l.split(r)
	l.requests = append(l.requests, len(items))
	if l.max > 0 && len(items) > l.max {
		return refuses(413)
	}
	if strings.Contains(string(r.Body), "bad") {
		l.bad++
		return refuses(400)
	}
	if body, known := l.keys[r.Key]; known && body != string(r.Body) {
		l.t.Errorf("two bodies came under the key %s", r.Key)
	}
	l.keys[r.Key] = string(r.Body)
	for _, item := range items {
		l.items[item]++
	}
	return ok()
}

func (l *batchListener) split(r transmit.Request) (items []string) {
	if l.format == drain.Array {
		equal(l.t, "content type", r.ContentType, "application/json")
		var raw []json.RawMessage
		if err := json.Unmarshal(r.Body, &raw); err != nil {
			l.t.Errorf("a batch is no array: %v: %s", err, r.Body)
		}
		for _, item := range raw {
			items = append(items, string(item))
		}
		return items
	}
	equal(l.t, "content type", r.ContentType, "application/x-ndjson")
	for line := range strings.Lines(string(r.Body)) {
		if !json.Valid([]byte(line)) {
			l.t.Errorf("a line of a batch is not JSON: %q", line)
		}
		items = append(items, strings.TrimSuffix(line, "\n"))
	}
	return items
}

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

// TestBatchesLoseNothing refuses batches at random, for any reason, and takes
// stock.
func TestBatchesLoseNothing(t *testing.T) {
	for seed := range uint64(200) {
		w := newWorldIn(t, fastDir(t))
		random := rand.New(rand.NewPCG(seed, 2))
		l := newBatchListener(t, []drain.Format{drain.NDJSON, drain.Array}[seed%2])
		w.config.BatchItems, w.config.BatchBytes = 2+random.IntN(20), int64(50+random.IntN(500))
		w.config.BatchFormat, w.config.Transmitter = l.format, moody{l, random}
		w.breaker.FailureThreshold = 1 + random.IntN(5)
		for i := range 10 {
			var items []string
			for j := range random.IntN(12) {
				items = append(items, fmt.Sprintf(`{"%s":%d}`, []string{"n", "n", "n", "bad"}[random.IntN(4)], 100*i+j))
			}
			w.write(fmt.Sprintf("buffer_%d.json", i), "["+strings.Join(items, ",")+"]", time.Hour)
		}
		w.writeMany("x", 20, time.Hour)
		total := 20
		for _, name := range w.names() {
			total += strings.Count(w.read(name), `"n"`)
		}
		for range 40 {
			w.run()
			w.now = w.now.Add(time.Hour)
		}
		once := 0
		for item, n := range l.items {
			if n != 1 {
				t.Errorf("seed %d: %s was delivered %d times", seed, item, n)
			}
			once++
		}
		rejectedGood := 0
		for _, name := range w.rejected() {
			if strings.Contains(w.read("rejected/"+name), `"n"`) || strings.Contains(w.read("rejected/"+name), `"x"`) {
				rejectedGood++
			}
		}
		left := 0
		for _, name := range w.names() {
			left += strings.Count(w.read(name), `"n"`) + strings.Count(w.read(name), `"x"`)
		}
		if once+rejectedGood+left != total {
			t.Fatalf("seed %d: of %d good items %d were delivered, %d rejected and %d are left", seed, total, once, rejectedGood, left)
		}
	}
}

// moody fails one request in five before its listener sees it.
type moody struct {
	*batchListener
	random *rand.Rand
}

func (m moody) Send(ctx context.Context, r transmit.Request) transmit.Verdict {
	switch m.random.IntN(15) {
	case 0:
		return fails(500)
	case 1:
		return down()
	case 2:
		return refuses(422)
	}
	return m.batchListener.Send(ctx, r)
}
