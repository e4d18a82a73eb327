package drain_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/breaker"
	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/drain"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// plan returns what a run would do, a line for each file, and how it would end.
func (w *world) plan() (lines []string, stop drain.Stop) {
	w.t.Helper()
	s, err := spool.Open(spool.Config{Dir: w.dir, HostID: "machine"})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	c := w.config
	c.Spool, c.Now = s, func() time.Time { return w.now }
	b, err := breaker.New(w.breaker)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := b.Peek(w.now); err != nil {
		w.t.Error(err)
	}
	c.Breaker = b
	if c.Index, err = drain.PeekIndex(filepath.Join(w.stateDir, "central_listener.index")); err != nil {
		w.t.Error(err)
	}
	stop, err = drain.Plan(c, func(p drain.Planned) error {
		line := p.Entry.Name
		switch p.Intent {
		case drain.Send:
			line += fmt.Sprintf(": send %d", p.Items)
		case drain.Remove:
			line += ": remove"
		case drain.Reject:
			line += ": reject"
		case drain.Skip:
			line += ": skip"
		}
		if p.Attempts > 0 {
			line += fmt.Sprintf(" after %d", p.Attempts)
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return lines, stop
}

// A person who asks for a plan may have no right to write, and expects that nothing is written.
func TestAPlanOfManyPagesWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.config.PageSize = 1
	w.writeMany("buffer_", 5, time.Hour)
	long := w.now.Add(-time.Hour)
	if err := os.Chtimes(w.dir, long, long); err != nil {
		t.Fatal(err)
	}
	lines, _ := w.plan()
	equal(t, "files planned", len(lines), 5)
	equal(t, "the spool's time of change", stat(t, w.dir).ModTime(), long)
}

func TestARunThatFindsTheBreakerOpenWritesNothingIntoTheSpool(t *testing.T) {
	w := newWorld(t)
	w.config.PageSize, w.config.Count, w.breaker.FailureThreshold = 1, true, 1
	w.writeMany("buffer_", 5, time.Hour)
	w.listener.answer = func(string) transmit.Verdict { return fails(500) }
	w.run()
	long := w.now.Add(-time.Hour)
	if err := os.Chtimes(w.dir, long, long); err != nil {
		t.Fatal(err)
	}
	r := w.run()
	equal(t, "the run's end", r.Stop, drain.BreakerOpen)
	equal(t, "files counted", r.Files, 5)
	equal(t, "the spool's time of change", stat(t, w.dir).ModTime(), long)
}

func TestAPlanPutsDeferredFilesLast(t *testing.T) {
	w := newWorld(t)
	w.listener.answer = poison
	w.write("bad.json", `{"bad":0}`, 9*time.Hour)
	w.write("buffer.json", `[{"bad":1},{"n":1},{"n":1},{"bad":2}]`, 8*time.Hour)
	w.write("passes.json", `{"n":0}`, time.Hour)
	w.config.MaxItems = 3
	w.run() // the first items of both fail
	w.config.MaxItems = 0
	w.write("bad2.json", `{"bad":3}`, 7*time.Hour)
	w.write("good.json", `{"n":2}`, time.Hour)
	w.write("wrong.json", `{"n":`, 2*time.Hour)
	w.write("young.json", ``, time.Minute)
	w.write("nothing.json", `[]`, 3*time.Hour)
	want := []string{
		"buffer.json: send 4", "bad2.json: send 1", "nothing.json: remove", "wrong.json: reject", "good.json: send 1",
		"young.json: skip", "bad.json: send 1 after 1",
	}
	w.forgetBreaker()
	got, stop := w.plan()
	if !slices.Equal(got, want) || stop != drain.Drained {
		t.Errorf("the plan is\n%s\n%v, want\n%s\ndrained", strings.Join(got, "\n"), stop, strings.Join(want, "\n"))
	}
}

func TestAPlanBeginsElsewhereAfterAFailureAsARunDoes(t *testing.T) {
	w := newWorld(t)
	w.writeMany("x", 3, time.Hour)
	w.config.MaxItems = 1
	w.listener.answer = func(string) transmit.Verdict { return down() }
	w.run()
	w.config.MaxItems = 0
	lines, _ := w.plan()
	equal(t, "planned", strings.Join(lines, ", "), "x0002.json: send 1, x0000.json: send 1, x0001.json: send 1")
	w.listener.bodies()
	w.listener.answer = func(string) transmit.Verdict { return ok() }
	w.run()
	equal(t, "sent", strings.Join(w.listener.bodies(), " "), `{"x":2} {"x":0} {"x":1}`)
}

func TestAPlanEndsWhereARunWould(t *testing.T) {
	w := newWorld(t)
	w.write("a.json", `{"n":1}`, 3*time.Hour)
	w.write("b.json", `[{"n":2},{"n":3},{"n":4}]`, 2*time.Hour)
	w.write("c.json", `{"n":5}`, time.Hour)
	for _, c := range []struct {
		items int
		bytes int64
		want  string
		stop  drain.Stop
	}{
		{0, 0, "a.json: send 1, b.json: send 3, c.json: send 1", drain.Drained},
		{1, 0, "a.json: send 1", drain.Limit},
		{3, 0, "a.json: send 1, b.json: send 2", drain.Limit},
		{4, 0, "a.json: send 1, b.json: send 3", drain.Limit},
		{0, 8, "a.json: send 1, b.json: send 1", drain.Limit},
		{5, 0, "a.json: send 1, b.json: send 3, c.json: send 1", drain.Drained},
	} {
		w.config.MaxItems, w.config.MaxBytes = c.items, c.bytes
		lines, stop := w.plan()
		if got := strings.Join(lines, ", "); got != c.want || stop != c.stop {
			t.Errorf("at most %d items and %d bytes: %s; %v, want %s; %v", c.items, c.bytes, got, stop, c.want, c.stop)
		}
	}
}

func TestAPlanOnlyRemovesWhatIsDelivered(t *testing.T) {
	w := newWorld(t)
	w.write("stuck.json", `{"n":1}`, 2*time.Hour)
	path := filepath.Join(w.dir, "stuck.json")
	if err := need.SetImmutable(path, true); err != nil {
		need.Refused(t, "this file system or user cannot make a file immutable: %v", err)
	}
	defer need.SetImmutable(path, false)
	w.run()
	w.write("good.json", `{"n":2}`, time.Hour)
	if got, _ := w.plan(); strings.Join(got, ", ") != "stuck.json: remove, good.json: send 1" {
		t.Errorf("the plan is %q", got)
	}
}

// A plan is what a run then does, whatever was before: random spools and random failures, then a
// plan and a run in which all goes well.
func TestAPlanIsWhatARunDoes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for round := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, round))
		w := newWorldIn(t, fastDir(t))
		w.breaker.FailureThreshold = 1 << 20
		w.config.PageSize = 1 + random.IntN(4)
		for run := range 1 + random.IntN(3) {
			for i := range 1 + random.IntN(5) {
				w.write(fmt.Sprintf("f%d_%d.json", run, i), randomPayload(random), time.Duration(random.IntN(5))*time.Second)
			}
			w.config.MaxItems = random.IntN(12)
			w.listener.answer = func(string) (v transmit.Verdict) {
				if random.IntN(2) == 0 {
					return fails(500)
				}
				return ok()
			}
			w.run()
		}
		w.config.MaxItems = random.IntN(12)
		w.forgetBreaker()
		before := w.listing()
		lines, stop := w.plan()
		if after := w.listing(); after != before {
			t.Fatalf("seed %d, round %d: the plan changed\n%s\nto\n%s", seed, round, before, after)
		}
		files := w.filesByKey()
		w.listener.bodies()
		w.listener.answer = func(string) transmit.Verdict { return ok() }
		r := w.run()
		var planned, sent []string
		for _, line := range lines {
			if name, n, ok := strings.Cut(line, ": send "); ok {
				n, _, _ = strings.Cut(n, " ")
				count, _ := strconv.Atoi(n)
				planned = append(planned, slices.Repeat([]string{name}, count)...)
			}
		}
		for _, request := range w.listener.got {
			sent = append(sent, files[request.Key])
		}
		if !slices.Equal(planned, sent) || r.Stop != stop {
			t.Fatalf("seed %d, round %d: planned %v,\n%q\nand sent %v,\n%q", seed, round, stop, planned, r.Stop, sent)
		}
	}
}

// forgetBreaker makes the next run begin with a breaker that knows of no failures.
func (w *world) forgetBreaker() {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.stateDir, "central_listener.state")); err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
}

// filesByKey names the file of every item in the spool.
func (w *world) filesByKey() map[string]string {
	w.t.Helper()
	s, err := spool.Open(spool.Config{Dir: w.dir, HostID: "machine"})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	files := map[string]string{}
	for _, name := range w.names() {
		p, err := s.Read(spool.Entry{Name: name}, w.now, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, item := range p.Items {
			files[item.Key] = name
		}
	}
	return files
}

// randomPayload is an object or an array of a few, with twins.
func randomPayload(random *rand.Rand) string {
	item := func() string { return fmt.Sprintf(`{"n":%d}`, random.IntN(4)) }
	if random.IntN(2) == 0 {
		return item()
	}
	var items []string
	for range random.IntN(6) {
		items = append(items, item())
	}
	return "[" + strings.Join(items, ",") + "]"
}

// listing is the spool and its state, as they are.
func (w *world) listing() string {
	var b strings.Builder
	for _, dir := range []string{w.dir, w.stateDir} {
		for _, name := range names(w.t, dir) {
			info, err := os.Lstat(filepath.Join(dir, name))
			if err != nil {
				w.t.Fatal(err)
			}
			fmt.Fprintln(&b, name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}
