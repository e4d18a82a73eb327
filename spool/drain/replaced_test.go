package drain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// A producer may replace a file under its name. The memory of the old items must not keep the new
// ones in the spool.
func TestAnArrayFilePutInThePlaceOfADeferredOneIsSentInTheNextRun(t *testing.T) {
	w := newWorld(t)
	w.write("0.json", `"passes"`, 2*time.Hour)
	w.listener.answer = func(body string) transmit.Verdict {
		if strings.Contains(body, "old") {
			return fails(500)
		}
		return ok()
	}
	w.write("a.json", `[{"old":1},{"old":2}]`, time.Hour)
	w.run()
	w.write("a.json", `[{"new":1},{"new":2}]`, time.Hour)
	w.listener.bodies()
	w.now = w.now.Add(time.Minute)
	w.run()
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `{"new":2} {"new":1}`) // the last one first, after the failures
	equal(t, "left", len(w.names()), 0)
}
