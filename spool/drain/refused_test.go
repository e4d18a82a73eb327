package drain_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// A payload that the listener refuses and that rejected/ cannot take is not sent again: it would be
// refused in every run. Six of them would keep the breaker open, and so all others in the spool.
func TestARefusedPayloadThatCannotBeMovedIsSentOnceAndMovedLater(t *testing.T) {
	for _, tt := range []struct {
		name string
		bad  []string // payload files, the oldest
	}{
		{"files of one item", []string{`"bad0"`, `"bad1"`, `"bad2"`, `"bad3"`, `"bad4"`, `"bad5"`}},
		{"items of array files", []string{`["bad0","bad1","bad2"]`, `["bad3","good","bad4","bad5"]`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			obstacle := filepath.Join(w.dir, spool.RejectedDir)
			if err := os.WriteFile(obstacle, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			for n, body := range tt.bad {
				w.write(fmt.Sprintf("bad%d.json", n), body, 2*time.Hour-time.Duration(n)*time.Minute)
			}
			w.writeMany("good", 20, time.Hour)
			requests := map[string]int{}
			w.listener.answer = func(body string) transmit.Verdict {
				requests[body]++
				if strings.HasPrefix(body, `"bad`) {
					return refuses(400)
				}
				return ok()
			}
			for range 3 {
				r := w.run()
				equal(t, "payloads rejected", r.Rejected, 0)
				var unusable *spool.RejectedDirError
				if !errors.As(errors.Join(r.LocalErrors...), &unusable) || len(r.LocalErrors) != 1 {
					t.Errorf("the run reports %q, want the state of rejected/ once", r.LocalErrors)
				}
				w.now = w.now.Add(time.Minute)
			}
			equal(t, "payload files left", len(w.names())-1, len(tt.bad))

			plan, _ := w.plan()
			if len(plan) == 0 || !strings.Contains(plan[0], "reject") {
				t.Errorf("the dry run says %q, want that the files would be moved", plan)
			}
			if err := os.Remove(obstacle); err != nil {
				t.Fatal(err)
			}
			r := w.run()
			equal(t, "rejected once there is room", r.Rejected, 6)
			equal(t, "failed and kept in that run", r.Failed, 0)
			equal(t, "requests in that run", r.Requests, 0)
			equal(t, "payloads in rejected/", len(w.rejected()), 6)
			for body, n := range requests {
				if n != 1 {
					t.Errorf("%s was sent %d times, want once", body, n)
				}
			}
			for _, name := range w.names() {
				if strings.HasSuffix(name, ".json") {
					t.Errorf("%s is still in the spool", name)
				}
			}
		})
	}
}
