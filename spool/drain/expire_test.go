package drain_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
)

// rejectedNames returns the payloads in rejected/, sorted.
func (w *world) rejectedNames() []string {
	w.t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, spool.RejectedDir, "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		if name := filepath.Base(path); filepath.Ext(name[:len(name)-len(".json")]) != ".reason" {
			names = append(names, name)
		}
	}
	return names
}

func TestTheOldestPayloadFilesExpireAndTheOthersAreSent(t *testing.T) {
	for _, test := range []struct {
		name   string
		bounds drain.Config
		page   int
		gone   int
	}{
		{"no bound", drain.Config{}, 0, 0},
		{"a bound that holds", drain.Config{MaxSpoolFiles: 40, MaxSpoolBytes: 40 * 7}, 0, 0},
		{"too many files", drain.Config{MaxSpoolFiles: 30}, 0, 10},
		{"too many files in small pages", drain.Config{MaxSpoolFiles: 12}, 5, 28},
		{"fewer than the youngest that a small page names", drain.Config{MaxSpoolFiles: 1}, 5, 39},
		{"too many bytes", drain.Config{MaxSpoolBytes: 35 * 7}, 0, 5},
		{"the narrower of two bounds", drain.Config{MaxSpoolFiles: 39, MaxSpoolBytes: 37*7 + 6}, 0, 3},
	} {
		for _, isOpen := range []bool{false, true} {
			t.Run(test.name+map[bool]string{true: ", the breaker open"}[isOpen], func(t *testing.T) {
				w := newWorld(t)
				w.config = test.bounds
				w.config.Concurrency, w.config.PageSize = 1, test.page
				for i := range 40 { // 7 bytes each
					w.write(fmt.Sprintf("a%02d.json", i), fmt.Sprintf(`{"x":%d}`, i%10), time.Hour-time.Duration(i)*time.Second)
				}
				all := w.names()
				delivered := 40 - test.gone
				if isOpen {
					w.openBreaker()
					delivered = 0
				}
				r := w.run()
				equal(t, "expired", r.Expired.Files, test.gone)
				equal(t, "bytes expired", r.Expired.Bytes, int64(7*test.gone))
				equal(t, "delivered", r.Delivered, delivered)
				equal(t, "vanished", r.Vanished, 0)
				equal(t, "rejected", r.Rejected, 0)
				if got := w.rejectedNames(); !slices.Equal(got, all[:test.gone]) {
					t.Errorf("in rejected/ are %q, want %q", got, all[:test.gone])
				}
				if !isOpen || test.gone > 0 {
					equal(t, "left", r.Left, 40-test.gone-delivered)
				}
			})
		}
	}
}

// A deferred file goes last when items are sent. It is as old as before.
func TestADeferredPayloadFileExpiresByItsAge(t *testing.T) {
	w := newWorld(t)
	w.listener.answer = poison
	w.writeMany("bad", 1, 2*time.Hour)
	w.writeMany("good", 2, time.Hour)
	w.run()
	w.writeMany("good", 2, time.Hour)
	w.config.MaxSpoolFiles = 2
	r := w.run()
	equal(t, "expired", r.Expired.Files, 1)
	equal(t, "delivered", r.Delivered, 2)
	if got := w.rejectedNames(); !slices.Equal(got, []string{"bad0000.json"}) {
		t.Errorf("in rejected/ are %q", got)
	}
}

// The change time of a file cannot be set, so that the clock moves instead.
func TestAPayloadFileExpiresByAgeWhenItHasWaitedForLonger(t *testing.T) {
	for _, test := range []struct {
		name    string
		changed time.Duration // before now: the modification time
		waits   time.Duration
		gone    int
	}{
		{"it has waited for less", 0, 59 * time.Minute, 0},
		{"it has waited for longer", 0, 61 * time.Minute, 1},
		{"it was changed long ago and has just come into the spool", 48 * time.Hour, time.Minute, 0},
		{"its time is in the future", -48 * time.Hour, 61 * time.Minute, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.config.MaxAge = time.Hour
			w.now = time.Now()
			w.write("a.json", "{}", test.changed)
			w.now = w.now.Add(test.waits)
			r := w.run()
			equal(t, "expired", r.Expired.Files, test.gone)
			equal(t, "delivered", r.Delivered, 1-test.gone)
		})
	}
}

// Such a file only waits for its removal. Put back from rejected/, it would be delivered twice.
func TestADeliveredPayloadFileThatCouldNotBeRemovedDoesNotExpire(t *testing.T) {
	w := newWorld(t)
	w.write("a.json", `{"a":1}`, time.Hour)
	s, err := spool.Open(spool.Config{Dir: w.dir, HostID: "machine"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Read(spool.Entry{Name: "a.json"}, w.now, nil)
	if err != nil {
		t.Fatal(err)
	}
	index := `{"version":1,"files":{"a.json":{"delivered":["` + p.Items[0].Key + `"]}}}`
	if err := os.WriteFile(filepath.Join(w.stateDir, "central_listener.index"), []byte(index), 0o600); err != nil {
		t.Fatal(err)
	}
	w.write("b.json", `{"b":1}`, time.Minute)
	w.config.MaxSpoolFiles = 1
	r := w.run()
	equal(t, "expired", r.Expired.Files, 1)
	equal(t, "sent", len(w.listener.bodies()), 0)
	if got := w.rejectedNames(); !slices.Equal(got, []string{"b.json"}) {
		t.Errorf("in rejected/ are %q, want b.json", got)
	}
}

// A payload that cannot be moved stays in the spool and is sent.
func TestPayloadFilesThatCannotExpireAreSent(t *testing.T) {
	w := newWorld(t)
	if err := os.WriteFile(filepath.Join(w.dir, spool.RejectedDir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.writeMany("a", 3, time.Hour)
	w.config.MaxSpoolFiles = 1
	r := w.run()
	equal(t, "expired", r.Expired.Files, 0)
	equal(t, "delivered", r.Delivered, 3)
	var unusable *spool.RejectedDirError
	if len(r.LocalErrors) != 1 || !errors.As(r.LocalErrors[0], &unusable) {
		t.Errorf("the errors of this machine are %v, want one about rejected/", r.LocalErrors)
	}
}

// A slow disk must not keep what can be sent from its way.
func TestARunMovesPayloadFilesForTenSecondsAtMost(t *testing.T) {
	w := newWorld(t)
	w.writeMany("a", 20, time.Hour)
	began := w.now
	ticks := 0
	w.clock = func() time.Time {
		ticks++
		return began.Add(time.Duration(ticks) * time.Second)
	}
	w.config.MaxSpoolFiles = 1
	r := w.run()
	if r.Expired.Files == 0 || r.Expired.Files > 10 {
		t.Errorf("%d payload files expired, want some of 19", r.Expired.Files)
	}
	equal(t, "expired and delivered", r.Expired.Files+r.Delivered, 20)
}

// openBreaker opens the breaker by hand, for a day.
func (w *world) openBreaker() {
	w.t.Helper()
	b, err := breaker.New(w.breaker)
	if err == nil {
		err = b.Trip(w.now, 24*time.Hour)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
