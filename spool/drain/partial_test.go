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

// taker is a listener that stores a part of the batches that it refuses, and refuses whatever it
// has stored already.
type taker struct {
	stored map[string]bool
	takes  func(items []string) (part []string, good bool)
}

func (l *taker) Send(_ context.Context, r transmit.Request) transmit.Verdict {
	items := strings.Split(strings.TrimSpace(string(r.Body)), "\n")
	for _, item := range items {
		if l.stored[item] {
			return refuses(400)
		}
	}
	part, good := l.takes(items)
	for _, item := range part {
		l.stored[item] = true
	}
	if !good {
		return refuses(400)
	}
	return ok()
}

// takers are the ways to take a part of a batch. One item is taken as a whole.
var takers = []struct {
	name  string
	takes func(items []string) (part []string, good bool)
}{
	{"the first half of every batch", func(items []string) ([]string, bool) {
		return items[:(len(items)+1)/2], len(items) == 1
	}},
	{"the second half of every batch", func(items []string) ([]string, bool) {
		return items[len(items)/2:], len(items) == 1
	}},
	{"the first half of every batch of eight or more", func(items []string) ([]string, bool) {
		if len(items) < 8 {
			return items, true
		}
		return items[:len(items)/2], false
	}},
	{"all that comes before a bad item", func(items []string) ([]string, bool) {
		for i, item := range items {
			if strings.Contains(item, "bad") {
				return items[:i], false
			}
		}
		return items, true
	}},
}

// A listener that answers 400 to what it has already must not have the spool quarantined because it
// took a part of a refused batch.
func TestAListenerThatTakesAPartOfARefusedBatchCostsAsManyPayloadsAsTheThreshold(t *testing.T) {
	for _, tt := range takers {
		for _, size := range []int{2, 8, 100} {
			t.Run(fmt.Sprintf("%s, batches of %d", tt.name, size), func(t *testing.T) {
				w := newWorld(t)
				l := &taker{stored: map[string]bool{}, takes: tt.takes}
				w.config.Transmitter, w.config.BatchItems = l, size
				spooled := 0 // good ones
				for i := range 200 {
					item := fmt.Sprintf(`{"x":%d}`, i)
					if i%20 == 19 && strings.Contains(tt.name, "bad") {
						item = fmt.Sprintf(`{"bad":%d}`, i)
					} else {
						spooled++
					}
					w.write(fmt.Sprintf("x%03d.json", i), item, time.Hour-time.Duration(i))
				}
				w.run()
				wrong, good := 0, 0
				for _, name := range w.rejected() {
					if !strings.Contains(w.read("rejected/"+name), "bad") {
						wrong++
					}
				}
				for item := range l.stored {
					if !strings.Contains(item, "bad") {
						good++
					}
				}
				if wrong > 5 {
					t.Errorf("%d good payloads are rejected, want at most the threshold of 5", wrong)
				}
				equal(t, "good payloads at the listener", good, spooled)
			})
		}
	}
}

func TestGoodItemsThatShareABatchWithAFailingOneLeaveInTheSameRun(t *testing.T) {
	for _, file := range []string{"one file each", "an array file"} {
		t.Run(file, func(t *testing.T) {
			w := newWorld(t)
			failures := 0
			b := recordBatches(w, func(items string) transmit.Verdict {
				if strings.Contains(items, "bad") {
					failures++
					return fails(500)
				}
				return ok()
			})
			b.warm()
			items := "a b c d e bad f g h"
			if file == "an array file" {
				w.write("buffer.json", arrayOf(items), time.Hour)
			} else {
				for i, item := range strings.Fields(items) {
					w.write(fmt.Sprintf("x%d.json", i), `"`+item+`"`, time.Hour-time.Duration(i))
				}
			}
			w.write("y.json", `"y"`, time.Minute)
			r := w.run()
			equal(t, "delivered", r.Delivered, 63+9)
			equal(t, "failed", r.Failed, 1)
			equal(t, "files left", len(w.names()), 1)
			equal(t, "requests that failed: the batch and the item alone", failures, 2)
			equal(t, "stop", r.Stop, drain.Drained)
		})
	}
}

// Payload files that were put back are read again when their turn comes. Were they held in hand,
// the request after a failure would come from among them, and never from elsewhere in the spool.
func TestABatchOfBadPayloadsKeepsNothingBack(t *testing.T) {
	for name, verdict := range map[string]transmit.Verdict{"failing": fails(500), "refused": refuses(400)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := recordBatches(w, func(items string) transmit.Verdict {
				if strings.Contains(items, "bad") {
					return verdict
				}
				return ok()
			})
			b.warm()
			for i := range 60 {
				w.write(fmt.Sprintf("bad%02d.json", i), fmt.Sprintf(`"bad%02d"`, i), time.Hour-time.Duration(i))
			}
			w.writeMany("good", 150, time.Minute)
			r := w.run()
			equal(t, "delivered", r.Delivered, 63+150)
		})
	}
}
