package drain_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// batches notes the requests of a run, one text each: the items' names, by spaces. It answers as
// told, and watches the keys.
type batches struct {
	t        *testing.T
	w        *world
	answer   func(items string) transmit.Verdict
	requests []string
	keys     map[string]string
}

// recordBatches lets the world's listener note what it gets, before answer says what it makes of
// it. Items are JSON strings.
func recordBatches(w *world, answer func(items string) transmit.Verdict) *batches {
	b := &batches{t: w.t, w: w, answer: answer, keys: map[string]string{}}
	w.config.BatchItems, w.config.Transmitter = 64, b
	return b
}

func (b *batches) Send(_ context.Context, r transmit.Request) transmit.Verdict {
	items := strings.ReplaceAll(strings.Join(strings.Fields(string(r.Body)), " "), `"`, "")
	b.requests = append(b.requests, items)
	if known, ok := b.keys[r.Key]; ok && known != items {
		b.t.Errorf("%q and %q came under one key", known, items)
	}
	b.keys[r.Key] = items
	return b.answer(items)
}

// warm spools objects that let batches grow to 64 items, older than everything.
func (b *batches) warm() {
	for i := range 63 { // 1, 2, 4 ... 32
		b.w.write(fmt.Sprintf("w%02d.json", i), fmt.Sprintf(`"w%02d"`, i), 2*time.Hour-time.Duration(i))
	}
}

// of returns the requests that hold no warming item.
func (b *batches) of() (requests []string) {
	for _, r := range b.requests {
		if !strings.Contains(r, "w") {
			requests = append(requests, r)
		}
	}
	return requests
}

func refusesBad(items string) transmit.Verdict {
	if strings.Contains(items, "bad") {
		return refuses(400)
	}
	return ok()
}

func arrayOf(items string) string {
	return `["` + strings.ReplaceAll(items, " ", `","`) + `"]`
}

// A run rejects as many of them as the threshold of 5. The others wait for the next run, in which
// they go alone.
func TestManyBadItemsOfABatchAreRejectedWithoutOpeningTheBreaker(t *testing.T) {
	w := newWorld(t)
	b := recordBatches(w, refusesBad)
	b.warm()
	w.write("buffer.json", arrayOf("a bad1 bad2 bad3 bad4 bad5 bad6 b"), time.Hour)
	for i := range 6 {
		w.write(fmt.Sprintf("y%d.json", i), fmt.Sprintf(`"y%d"`, i), time.Minute)
	}
	r := w.run()
	equal(t, "stop", r.Stop, drain.Drained)
	equal(t, "rejected", r.Rejected, 5)
	equal(t, "delivered", r.Delivered, 63+2+6)
	equal(t, "rejected by the next run", w.run().Rejected, 1)
	equal(t, "payload files left", len(w.names()), 0)
}

// A bulk interface stores the good items of a batch, answers 2xx, and says that one is missing.
func TestAnItemThatABulkInterfaceDoesNotTakeIsKeptAndTheOthersAreDelivered(t *testing.T) {
	w := newWorld(t)
	b := recordBatches(w, func(items string) transmit.Verdict {
		if strings.Contains(items, "bad") {
			v := fails(200)
			v.Partly = true
			return v
		}
		return ok()
	})
	b.warm()
	w.write("buffer.json", arrayOf("a b c bad d e f g"), time.Hour)
	r := w.run()
	equal(t, "requests", strings.Join(b.of()[:5], "|"), "a b c bad d e f g|a b c bad|a b|c|bad")
	equal(t, "delivered", r.Delivered, 63+7)
	equal(t, "rejected", r.Rejected, 0)
	equal(t, "failures", r.Failed, 1)
	equal(t, "what is left", w.read("buffer.json"), `["bad"]`)
	for range drain.DefaultConfig().MaxAttempts {
		w.write("good.json", `"z"`, time.Minute)
		w.run()
	}
	equal(t, "payload files left after --max-attempts runs", len(w.names()), 0)
}

// The search for a bad item must not miss that the listener asks for a pause.
func TestARetryAfterEndsTheHalvingOfABatchAndTheRun(t *testing.T) {
	w := newWorld(t)
	asked := false
	b := recordBatches(w, func(items string) transmit.Verdict {
		if items == "a b" {
			asked = true
			v := fails(503)
			v.RetryAfter = time.Hour
			return v
		}
		return refusesBad(items)
	})
	b.warm()
	w.write("buffer.json", arrayOf("a b bad1 c d e bad2 f"), time.Hour)
	r := w.run()
	if got := b.of(); !asked || got[len(got)-1] != "a b" {
		t.Errorf("the requests are %q, want none after a b", got)
	}
	equal(t, "stop", r.Stop, drain.BreakerOpen)
	equal(t, "what is left", w.read("buffer.json"), `["a","b","bad1","c","d","e","bad2","f"]`)
}

func TestAFailureOfTheListenerEndsTheHalvingOfABatch(t *testing.T) {
	w := newWorld(t)
	failed := false
	b := recordBatches(w, func(items string) transmit.Verdict {
		if items == "a b" {
			failed = true
			return fails(500)
		}
		return refusesBad(items)
	})
	b.warm()
	w.write("buffer.json", arrayOf("a b bad1 c d e bad2 f"), time.Hour)
	w.run()
	if got := b.of(); !failed || len(got) < 4 || got[2] != "a b" || got[3] != "e" {
		t.Errorf("the requests are %q, want the fourth to come from elsewhere, after a b has failed", got)
	}
}

func TestHalvesOfABatchThatIsTooLargeAreNotHalvedAgain(t *testing.T) {
	w := newWorld(t)
	b := recordBatches(w, func(items string) transmit.Verdict {
		if len(strings.Fields(items)) > 4 && !strings.Contains(items, "w") {
			return refuses(413)
		}
		return ok()
	})
	b.warm()
	w.write("buffer.json", arrayOf("a b c d e f g h"), time.Hour)
	w.run()
	equal(t, "requests", strings.Join(b.of(), "|"), "a b c d e f g h|a b c d|e f g h")
}

// One item that is too large by itself says nothing about the size of batches.
func TestBatchesGrowAgainAfterAnItemThatWasTooLarge(t *testing.T) {
	w := newWorld(t)
	b := recordBatches(w, func(items string) transmit.Verdict {
		if strings.Contains(items, "bad") {
			return refuses(413)
		}
		return ok()
	})
	for i := range 600 {
		item := fmt.Sprintf(`"%d"`, i)
		if i%150 == 50 {
			item = fmt.Sprintf(`"bad%d"`, i)
		}
		w.write(fmt.Sprintf("x%03d.json", i), item, time.Hour-time.Duration(i))
	}
	r := w.run()
	equal(t, "rejected", r.Rejected, 4)
	equal(t, "delivered", r.Delivered, 596)
	largest := 0
	for _, items := range b.requests[len(b.requests)-8:] {
		largest = max(largest, len(strings.Fields(items)))
	}
	if largest < 16 {
		t.Errorf("the last requests hold %d items at most", largest)
	}
}

func TestAFailureMakesTheNextRequestOneItem(t *testing.T) {
	w := newWorld(t)
	failed := false
	b := recordBatches(w, func(items string) transmit.Verdict {
		if strings.Contains(items, "a") && !failed {
			failed = true
			return fails(500)
		}
		return ok()
	})
	b.warm()
	w.write("buffer_1.json", arrayOf("a1 a2 a3 a4"), time.Hour)
	w.write("buffer_2.json", arrayOf("b1 b2 b3 b4"), time.Minute)
	w.config.BatchBytes = 4 * 4 // as many as fit
	w.run()
	if got := b.of(); len(got) < 2 || got[1] != "b3" {
		t.Errorf("the requests are %q, want b3 alone after the failure", got)
	}
}

func TestDeferredItemsGoAlone(t *testing.T) {
	w := newWorld(t)
	failing := true
	b := recordBatches(w, func(items string) transmit.Verdict {
		if failing && strings.Contains(items, "a") {
			return fails(500)
		}
		return ok()
	})
	w.write("buffer_0.json", arrayOf("b0"), 2*time.Hour)
	w.write("buffer_1.json", arrayOf("a1 a2 a3"), time.Hour)
	w.write("buffer_2.json", arrayOf("c1 c2 c3"), time.Minute) // each passes after one has failed
	most := w.config.BatchItems
	w.config.BatchItems = 1
	w.run()
	failing, w.config.BatchItems = false, most
	w.write("buffer_2.json", arrayOf("b1 b2 b3 b4 b5"), time.Minute)
	b.requests = nil
	w.run()
	equal(t, "requests", strings.Join(b.of(), "|"), "b1|b2 b3|b4 b5|a1|a2|a3")
}

func TestBatchesRespectTheLimitOfItems(t *testing.T) {
	w := newWorld(t)
	b := recordBatches(w, func(string) transmit.Verdict { return ok() })
	w.config.MaxItems = 12
	w.writeMany("x", 40, time.Hour)
	r := w.run()
	equal(t, "delivered", r.Delivered, 12)
	equal(t, "requests", len(b.requests), 4) // 1, 2, 4, 5
	equal(t, "stop", r.Stop, drain.Limit)
}
