package drain_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// numbers is an array of n different items.
func numbers(n int) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprint(i)
	}
	return "[" + strings.Join(items, ",") + "]"
}

// A run that is always killed in the middle of the same array file must get on, and a listener must
// not get all of the file again. A kill while an item is being sent leaves the file to the next run
// as it is at that moment.
func TestAKillRepeatsASecondOfAnArrayFileAtMost(t *testing.T) {
	const items, perSecond = 1000, 180
	w := newWorld(t)
	w.write("a.json", numbers(items), time.Hour)

	answered, mostRepeated := 0, 0
	w.clock = func() time.Time { return w.now.Add(time.Duration(answered) * time.Second / perSecond) }
	w.listener.answer = func(string) transmit.Verdict {
		var left []int
		if err := json.Unmarshal([]byte(w.read("a.json")), &left); err != nil {
			t.Errorf("the file is not whole: %v", err)
		}
		answered++
		mostRepeated = max(mostRepeated, answered-(items-len(left)))
		return ok()
	}
	r := w.run()
	equal(t, "delivered", r.Delivered, items)
	equal(t, "requests", r.Requests, items)
	equal(t, "errors of this machine", len(r.LocalErrors), 0)
	equal(t, "files left", len(w.names()), 0)
	equal(t, "items that a kill repeats at most, those of a second", mostRepeated, perSecond)
}
