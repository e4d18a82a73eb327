package drain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// poison answers 500 to bodies that contain "bad".
func poison(body string) transmit.Verdict {
	if strings.Contains(body, "bad") {
		return fails(500)
	}
	return ok()
}

func TestFiveFilesThatAlwaysGetA500DoNotHoldUpAThousandOthers(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		t.Run(fmt.Sprintf("at concurrency %d", concurrency), func(t *testing.T) {
			w := newWorld(t)
			w.config.Concurrency = concurrency
			w.listener.answer = poison
			w.writeMany("bad", 5, 2*time.Hour)
			w.writeMany("good", 1000, time.Hour)

			r := w.run()
			equal(t, "delivered by the first run", r.Delivered, 1000)
			equal(t, "requests of the first run", r.Requests, 1005)

			// Each further run delivers one fresh payload and fails five times.
			for n := 1; ; n++ {
				if got := len(w.rejected()); got > 0 {
					equal(t, "runs with deliveries before they were rejected", n, 10)
					equal(t, "rejected together", got, 5)
					break
				}
				if n > 20 {
					t.Fatal("they are never rejected")
				}
				w.now = w.now.Add(time.Minute)
				w.write("fresh.json", fmt.Sprintf(`{"fresh":%d}`, n), time.Second)
				w.run()
			}
			equal(t, "payload files left", len(w.names()), 0)
			var reason spool.Reason
			data, err := os.ReadFile(filepath.Join(w.dir, spool.RejectedDir, "bad0000.json.reason.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &reason); err != nil {
				t.Fatal(err)
			}
			equal(t, "attempts in the reason", reason.Attempts, 10)
			equal(t, "status in the reason", reason.Status, 500)
			if reason.First == nil || !reason.First.Before(reason.Time) {
				t.Errorf("the reason does not say since when it failed: %+v", reason)
			}
		})
	}
}

func TestAnItemOfAnArrayFileIsDeferredAndRejectedLikeAFile(t *testing.T) {
	w := newWorld(t)
	w.listener.answer = poison
	w.write("buffer_1.json", `[{"bad":1},{"n":1},{"bad":2},{"n":2}]`, time.Hour)
	w.writeMany("good", 3, time.Minute)
	w.run()
	w.listener.bodies()
	w.write("more.json", `{"n":3}`, 0)
	w.run()
	want := []string{`{"n":3}`, `{"bad":1}`, `{"bad":2}`}
	if got := w.listener.bodies(); !slices.Equal(got, want) {
		t.Errorf("the second run sent %q, want %q", got, want)
	}
	for range 8 {
		w.write("more.json", `{"n":4}`, 0)
		w.run()
	}
	equal(t, "items in rejected/", len(w.rejected()), 2)
	equal(t, "files left", len(w.names()), 0)
}

func TestARefusedConnectionDefersNothing(t *testing.T) {
	w := newWorld(t)
	w.writeMany("x", 6, time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return down() }
	w.run()
	w.now = w.now.Add(time.Minute)
	w.listener.bodies()
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	w.run()
	if got := w.listener.bodies()[1]; got != `{"x":0}` {
		t.Errorf("%s followed the probe, want the oldest, which the listener never saw", got)
	}
}

func TestAPayloadThatSilencesTheListenerGoesLastAndIsSetAside(t *testing.T) {
	w := newWorld(t)
	w.listener.answer = func(body string) transmit.Verdict {
		if strings.Contains(body, "bad") {
			v := down()
			v.Sent = true // it crashes whoever reads it
			return v
		}
		return ok()
	}
	w.write("bad.json", `{"bad":1}`, time.Hour)
	w.run()
	w.write("good.json", `{"n":0}`, 0)
	w.listener.bodies()
	w.run()
	if got := w.listener.bodies()[0]; got != `{"n":0}` {
		t.Errorf("%s was sent first, although it had silenced the listener before", got)
	}
	for n := range 9 {
		w.write("good.json", fmt.Sprintf(`{"n":%d}`, n), 0)
		w.run()
	}
	equal(t, "rejected", len(w.rejected()), 1)
}

func TestAnOverloadedListenerCostsNoPayload(t *testing.T) {
	w := newWorld(t)
	w.listener.answer = func(body string) transmit.Verdict {
		if strings.Contains(body, "bad") {
			return fails(503)
		}
		return ok()
	}
	w.write("bad.json", `{"bad":1}`, time.Hour)
	for n := range 30 {
		w.write("good.json", fmt.Sprintf(`{"n":%d}`, n), 0)
		w.run()
	}
	equal(t, "rejected", len(w.rejected()), 0)
	equal(t, "kept", len(w.names()), 1)
}

func TestA403ForEverythingLosesAndMovesNothing(t *testing.T) {
	w := newWorld(t)
	w.writeMany("x", 20, time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return fails(403) }
	for range 30 {
		w.run()
		w.now = w.now.Add(time.Minute)
	}
	equal(t, "payload files", len(w.names()), 20)
	equal(t, "rejected", len(w.rejected()), 0)
}

func TestAListenerThatRefusesEverythingCostsFiveAndThenOnePerProbe(t *testing.T) {
	w := newWorld(t)
	w.writeMany("x", 30, time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return refuses(400) }
	for range 10 {
		w.run()
		w.now = w.now.Add(time.Minute)
	}
	equal(t, "rejected by ten runs", len(w.rejected()), 5+9)
	equal(t, "payload files left", len(w.names()), 30-14)
}

func TestADeliveredFileThatCannotBeRemovedIsNeverPostedAgain(t *testing.T) {
	w := newWorld(t)
	w.write("stuck.json", `{"stuck":1}`, 2*time.Hour)
	path := filepath.Join(w.dir, "stuck.json")
	if err := need.SetImmutable(path, true); err != nil {
		need.Refused(t, "this file system or user cannot make a file immutable: %v", err)
	}
	defer need.SetImmutable(path, false)
	w.writeMany("x", 3, time.Hour)

	r := w.run()
	equal(t, "stop", r.Stop, drain.LocalError)
	equal(t, "requests before it stopped", r.Requests, 1)
	if len(r.LocalErrors) != 1 || !errors.Is(r.LocalErrors[0], syscall.EPERM) || !strings.Contains(r.LocalErrors[0].Error(), path) {
		t.Errorf("errors of this machine %v, want one that names the file and the cause", r.LocalErrors)
	}
	r = w.run()
	equal(t, "deliveries of the second run", r.Delivered, 3)
	w.run()
	posts := 0
	for _, body := range w.listener.bodies() {
		if strings.Contains(body, "stuck") {
			posts++
		}
	}
	equal(t, "POSTs of the stuck file in three runs", posts, 1)

	if err := need.SetImmutable(path, false); err != nil {
		t.Fatal(err)
	}
	r = w.run()
	equal(t, "requests once it can be removed", r.Requests, 0)
	equal(t, "files left", len(w.names()), 0)
	equal(t, "what is left to remember", len(names(t, w.stateDir)), 0)
}
