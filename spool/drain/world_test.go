package drain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a spool on disk, the state beside it, a listener and a clock that moves only when told
// to. Every run of it is a new process: it loads all from the disk.
type world struct {
	t           *testing.T
	dir         string
	stateDir    string
	now         time.Time
	clock       func() time.Time // instead of now
	breaker     breaker.Config
	watch       func(drain.Breaker) drain.Breaker // stands between a run and its breaker
	config      drain.Config
	maxDeferred int // items that the index has room for; 0: as many as always
	listener    listener
	unsaved     bool // in this run, neither state nor index can be saved any more
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, t.TempDir())
}

func newWorldIn(t *testing.T, base string) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(base, "spool"), stateDir: filepath.Join(base, "state"), now: time.Unix(1_763_848_123, 0)}
	for _, dir := range []string{w.dir, w.stateDir} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.breaker = breaker.Config{StateDir: w.stateDir}
	w.config.Concurrency = 1
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	return w
}

// write spools a payload file that is age old. It may do so in the middle of a run, which must not
// see the file before its time is set: it would be sent and then, having changed, be left in place.
func (w *world) write(name, content string, age time.Duration) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	temp := path + ".new"
	then := w.now.Add(-age)
	if err := errors.Join(os.WriteFile(temp, []byte(content), 0o600), os.Chtimes(temp, then, then), os.Rename(temp, path)); err != nil {
		w.t.Fatal(err)
	}
}

// writeMany spools n object files, the first the oldest, whose items are {"prefix":0} and so on.
func (w *world) writeMany(prefix string, n int, age time.Duration) {
	for i := range n {
		w.write(fmt.Sprintf("%s%04d.json", prefix, i), fmt.Sprintf(`{"%s":%d}`, prefix, i), age-time.Duration(i)*time.Millisecond)
	}
}

func (w *world) run() drain.Report {
	w.t.Helper()
	return w.runContext(context.Background())
}

func (w *world) runContext(ctx context.Context) drain.Report {
	w.t.Helper()
	report, err := w.tryRun(ctx)
	if err != nil {
		w.t.Fatalf("the run did not begin: %v", err)
	}
	return report
}

func (w *world) tryRun(ctx context.Context) (drain.Report, error) {
	w.t.Helper()
	b, err := breaker.New(w.breaker)
	if err != nil {
		w.t.Fatal(err)
	}
	now := func() time.Time { return w.now }
	if w.clock != nil {
		now = w.clock
	}
	if err := b.Open(now()); err != nil {
		w.t.Errorf("the breaker's state is not whole: %v", err)
	}
	s, err := spool.Open(spool.Config{Dir: w.dir, HostID: "machine"})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	index, err := drain.OpenIndex(filepath.Join(w.stateDir, "central_listener.index"))
	if err != nil {
		w.t.Errorf("the index is not whole: %v", err)
	}
	if w.maxDeferred > 0 {
		index.SetMaxDeferred(w.maxDeferred)
	}
	c := w.config
	c.Spool, c.Breaker, c.Index = s, b, index
	if w.watch != nil {
		c.Breaker = w.watch(b)
	}
	if c.Transmitter == nil {
		c.Transmitter = &w.listener
	}
	c.Now = now
	report, err := drain.Run(ctx, c)
	if err := b.Save(); err != nil && !w.unsaved {
		w.t.Errorf("saving the breaker: %v", err)
	}
	return report, err
}

// read returns the contents of a file below the spool.
func (w *world) read(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

// names lists the payload files in the spool.
func (w *world) names() []string { return names(w.t, w.dir) }

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		if !e.IsDir() && !strings.HasSuffix(e.Name(), ".reason.json") {
			list = append(list, e.Name())
		}
	}
	return list
}

func (w *world) rejected() []string { return names(w.t, filepath.Join(w.dir, spool.RejectedDir)) }

// A listener answers items and remembers what it was sent.
type listener struct {
	answer func(body string) transmit.Verdict

	mu   sync.Mutex
	got  []transmit.Request
	good []transmit.Request // those answered with a 2xx
}

func (l *listener) Send(_ context.Context, r transmit.Request) transmit.Verdict {
	r.Body = slices.Clone(r.Body)
	v := l.answer(string(r.Body))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, r)
	if v.Action == transmit.Delivered {
		l.good = append(l.good, r)
	}
	return v
}

// bodies returns what was sent since the last call, in order.
func (l *listener) bodies() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []string
	for _, r := range l.got {
		list = append(list, string(r.Body))
	}
	l.got = nil
	return list
}

func ok() transmit.Verdict { return transmit.Verdict{Action: transmit.Delivered, Status: 200} }

func fails(status int) transmit.Verdict {
	return transmit.Verdict{Action: transmit.Kept, Status: status, Err: fmt.Errorf("the listener answered %d", status)}
}

func refuses(status int) transmit.Verdict {
	v := fails(status)
	v.Action = transmit.Rejected
	return v
}

func down() transmit.Verdict {
	return transmit.Verdict{Action: transmit.Kept, Err: errors.New("connection refused")}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// itemsOf returns the items of a payload file.
func itemsOf(t *testing.T, content string) (items []string) {
	t.Helper()
	if !strings.HasPrefix(content, "[") {
		return []string{content}
	}
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(content), &raw); err != nil {
		t.Fatalf("a file of the spool is no longer JSON: %v: %s", err, content)
	}
	for _, item := range raw {
		items = append(items, string(item))
	}
	return items
}
