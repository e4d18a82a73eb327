package drain_test

import (
	"fmt"
	"testing"
	"time"
)

// A page holds the oldest payload files. When all of them are bad, and nothing is delivered, the
// run must still find the good ones behind.
func TestMoreBadPayloadsThanAPageHoldsKeepNothingBack(t *testing.T) {
	for _, test := range []struct{ page, bad, good int }{{20, 20, 30}, {20, 100, 30}, {20, 1500, 100}} {
		for _, concurrency := range []int{1, 4} {
			t.Run(fmt.Sprintf("%d before %d good ones in pages of %d, %d at a time", test.bad, test.good, test.page, concurrency), func(t *testing.T) {
				w := newWorldIn(t, fastDir(t))
				w.config.PageSize, w.config.Concurrency = test.page, concurrency
				w.listener.answer = poison
				w.writeMany("bad", test.bad, 2*time.Hour)
				w.writeMany("good", test.good, time.Hour)
				equal(t, "delivered by the first run", w.run().Delivered, test.good)
				sent := map[string]int{}
				for _, body := range w.listener.bodies() {
					if sent[body]++; sent[body] > 1 {
						t.Errorf("%s was sent %d times", body, sent[body])
					}
				}
			})
		}
	}
}

// Array files that were begun out of turn, and deferred files, are in several pages.
func TestEachItemIsSentOnceInASpoolOfManyPages(t *testing.T) {
	w := newWorldIn(t, fastDir(t))
	w.config.PageSize = 5
	for i := range 30 {
		w.write(fmt.Sprintf("a%02d.json", i), arrayFile(items(fmt.Sprintf("bad%d_", i), 1), items(fmt.Sprintf("good%d_", i), 3)), time.Duration(100-i)*time.Minute)
	}
	w.writeMany("zgood", 10, time.Minute)
	w.listener.answer = poison
	for run := range 8 {
		w.run()
		w.now = w.now.Add(2 * time.Minute)
		sent := map[string]int{}
		for _, body := range w.listener.bodies() {
			if sent[body]++; sent[body] > 1 {
				t.Errorf("in run %d, %s was sent %d times", run, body, sent[body])
			}
		}
	}
	for _, name := range w.names() {
		equal(t, "items left in "+name, len(itemsOf(t, w.read(name))), 1)
	}
}
