package breaker

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// model is the breaker as one would tell it, without a file, without microseconds, and without a
// line of the real one.
type model struct {
	c            Config
	state        string
	failures     int
	last, opened time.Time // zero is none
	since        time.Time // when it stopped being closed; zero is none
	until        time.Time // of a retry-after or a trip; zero is none
	byHand       bool
	forced       bool // half-open although the hold is not over
	probes       int  // failed ones since it stopped being closed
}

// end is when the hold of an open breaker is over.
func (m *model) end() time.Time {
	timeout := m.c.RetryTimeout
	for range m.probes {
		timeout = min(2*timeout, max(timeout, m.c.RetryTimeoutMax))
	}
	end := m.opened.Add(timeout)
	if !m.until.IsZero() && (m.byHand || m.until.After(end)) {
		end = m.until
	}
	return end
}

// look is what a load and every question do to times in the future.
func (m *model) look(now time.Time) {
	if m.last.After(now) {
		m.last = now
	}
	if m.since.After(now) {
		m.since = now
	}
	if m.state != "open" && !m.forced {
		if m.opened.After(now) {
			m.opened = now
		}
		return
	}
	hold := m.until.Sub(m.opened)
	if m.opened.After(now) {
		m.opened = now
		if !m.until.IsZero() {
			m.until = now.Add(hold)
		}
	}
	if furthest := now.Add(m.c.MaxRetryAfter); !m.byHand && m.until.After(furthest) {
		m.until = furthest
	}
}

func (m *model) ask(now time.Time) bool {
	m.look(now)
	if m.state == "open" && !now.Before(m.end()) {
		m.state, m.until, m.byHand = "half_open", time.Time{}, false
	}
	return m.state != "open"
}

func (m *model) force(now time.Time) {
	m.look(now)
	if m.state == "open" && now.Before(m.end()) {
		m.state, m.forced = "half_open", true
	}
}

// giveUp is what the end of a run does to a forced probe without a result.
func (m *model) giveUp() {
	if m.forced {
		m.state, m.forced = "open", false
	}
}

func (m *model) success() {
	switch m.state {
	case "closed":
		m.failures = 0
	case "half_open":
		*m = model{c: m.c, state: "closed"}
	}
}

func (m *model) failure(now time.Time, retryAfter time.Duration) {
	m.failures++
	m.last = now
	if m.forced {
		m.state, m.forced = "open", false
	}
	if m.state == "half_open" {
		m.probes++
	}
	if m.state == "half_open" || m.state == "closed" && (m.failures >= m.c.FailureThreshold || retryAfter > 0) {
		if m.state == "closed" || m.since.After(now) {
			m.since = now
		}
		m.state, m.opened = "open", now
	}
	if until := now.Add(min(retryAfter, m.c.MaxRetryAfter)); m.state == "open" && retryAfter > 0 && until.After(m.end()) {
		m.until = until
	}
}

func (m *model) trip(now time.Time, hold time.Duration) {
	if m.state == "closed" || m.since.After(now) {
		m.since = now
	}
	m.state, m.opened, m.until, m.byHand, m.forced, m.probes = "open", now, time.Time{}, true, false, 0
	if hold > 0 {
		m.until = now.Add(hold)
	}
}

// world is the two side by side, with what each has on disk.
type world struct {
	*testing.T
	random *rand.Rand
	c      Config
	now    time.Time
	b      *Breaker
	m      model // in memory
	disk   model
	log    []string
}

// TestNoSequenceOfEventsAndRestartsDiffersFromTheModel plays random histories, with restarts and
// clock jumps between any two events, and compares memory and file with the model after each.
func TestNoSequenceOfEventsAndRestartsDiffersFromTheModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for round := range 30 {
		random := rand.New(rand.NewPCG(seed, uint64(round)))
		c := Config{
			StateDir:         t.TempDir(),
			FailureThreshold: 1 + random.IntN(4),
			RetryTimeout:     time.Duration(1+random.IntN(100)) * time.Second,
			MaxRetryAfter:    time.Duration(1+random.IntN(7200)) * time.Second,
		}
		if random.IntN(2) == 0 {
			c.RetryTimeoutMax = c.RetryTimeout + time.Duration(random.IntN(2000))*time.Second
		}
		m := model{c: c, state: "closed"}
		w := &world{T: t, random: random, c: c, now: start, b: open(t, c, start), m: m, disk: m}
		for range 80 {
			w.moveClock()
			w.log = append(w.log, fmt.Sprintf("at %v: %s", w.now.Sub(start), w.act()))
			w.compare()
			if t.Failed() {
				t.Fatalf("seed %d, round %d, %+v, after\n%q", seed, round, c, w.log)
			}
		}
	}
}

func (w *world) moveClock() {
	switch w.random.IntN(12) {
	case 0: // to the end of the hold, or one microsecond before
		if w.m.state == "open" && w.m.end().After(w.now) {
			w.now = w.m.end().Add(-time.Duration(w.random.IntN(2)) * time.Microsecond)
		}
	case 1:
		w.now = w.now.Add(-time.Duration(w.random.Int64N(7_200_000_000)) * time.Microsecond)
	case 2:
		w.now = w.now.Add(time.Duration(w.random.IntN(3)-1) * year)
	case 3, 4:
	default:
		w.now = w.now.Add(time.Duration(w.random.Int64N(2*w.c.RetryTimeout.Microseconds())) * time.Microsecond)
	}
}

// act lets one thing happen to both, and says what.
func (w *world) act() string {
	switch w.random.IntN(13) {
	case 12:
		w.m.force(w.now)
		w.b.Force(w.now)
		return "forced"
	case 0, 1, 2:
		was := w.m.state
		if got, want := w.b.Available(w.now), w.m.ask(w.now); got != want {
			w.Errorf("available is %v, want %v", got, want)
		}
		if w.m.state != was {
			w.disk = w.m
		}
		return "asked"
	case 3, 4:
		was := w.m.state
		w.m.success()
		mustDo(w.T, "RecordSuccess", w.b.RecordSuccess(w.now))
		if w.m.state != was {
			w.disk = w.m
		}
		return "success"
	case 5, 6, 7:
		retryAfter := time.Duration(max(0, w.random.Int64N(12)-8)) * w.c.MaxRetryAfter / 2
		w.m.failure(w.now, retryAfter)
		mustDo(w.T, "RecordFailure", w.b.RecordFailure(w.now, retryAfter))
		w.disk = w.m
		return fmt.Sprintf("failure, retry-after %v", retryAfter)
	case 8:
		wait := time.Duration(0)
		if w.m.look(w.now); w.m.state == "open" {
			wait = max(0, w.m.end().Sub(w.now))
		}
		if got := w.b.Wait(w.now); got != wait {
			w.Errorf("the wait is %v, want %v", got, wait)
		}
		if longest := max(w.c.RetryTimeout, w.c.RetryTimeoutMax, w.c.MaxRetryAfter); wait > longest && !w.m.byHand {
			w.Errorf("the wait is %v, more than %v", wait, longest)
		}
		return "waited"
	case 9:
		if w.random.IntN(2) == 0 {
			w.m = model{c: w.c, state: "closed"}
			mustDo(w.T, "Reset", w.b.Reset(w.now))
			w.disk = w.m
			return "reset"
		}
		hold := time.Duration(w.random.IntN(3)-1) * 3 * time.Hour
		w.m.trip(w.now, hold)
		mustDo(w.T, "Trip", w.b.Trip(w.now, hold))
		w.disk = w.m
		return fmt.Sprintf("trip for %v", hold)
	case 10:
		mustDo(w.T, "Save", w.b.Save())
		w.m.giveUp()
		w.disk = w.m
		w.restart()
		return "end of run, next run"
	}
	w.restart()
	return "crash, next run"
}

func (w *world) restart() {
	w.m = w.disk
	w.m.look(w.now)
	if w.m.state == "open" && (w.m.opened != w.disk.opened || w.m.until != w.disk.until) {
		w.disk = w.m
	}
	w.b = open(w.T, w.c, w.now)
}

func (w *world) compare() {
	stats := w.b.Stats(w.now)
	seen := w.m
	seen.look(w.now)
	if stats.State.String() != seen.state || stats.FailureCount != seen.failures || stats.Tripped != seen.byHand ||
		stats.LastFailureTime != seconds(seen.last) || stats.OpenedAt != seconds(seen.opened) || stats.NotBefore != seconds(seen.until) || stats.OpenSince != seconds(seen.since) {
		w.Errorf("the breaker is %+v,\nwant %+v", stats, seen)
	}

	var file struct {
		State    string  `json:"state"`
		Failures int     `json:"failure_count"`
		Last     float64 `json:"last_failure_time"`
		Opened   float64 `json:"opened_at"`
		Until    float64 `json:"not_before"`
		ByHand   bool    `json:"tripped"`
		Since    float64 `json:"open_since"`
		Probes   int     `json:"failed_probes"`
	}
	data, err := os.ReadFile(w.b.StatePath())
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.Errorf("the file %q: %v", data, err)
	}
	d := w.disk
	shown := d.opened // to programs that know just the four keys
	if end := d.until.Add(-w.c.RetryTimeout); d.state == "open" && !d.opened.IsZero() && end.After(shown) {
		shown = end
	}
	if cmp.Or(file.State, "closed") != d.state || file.Failures != d.failures || file.Last != seconds(d.last) ||
		file.Opened != seconds(shown) || file.Until != seconds(d.until) || file.ByHand != d.byHand || file.Since != seconds(d.since) || file.Probes != d.probes {
		w.Errorf("the file is %s,\nwant %+v", data, d)
	}
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMicro()) / 1e6
}
