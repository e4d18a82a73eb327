package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func smallFleet() scenario {
	s := defaultScenario()
	s.hosts = 500
	return s
}

// The table of a small fleet, without the outage of three days, which would take a minute.
func TestAFleetIsCalmInAnOutageAndAfterIt(t *testing.T) {
	for _, s := range scenarios(smallFleet()) {
		if s.outage > time.Hour {
			s.outage = 6 * time.Hour
		}
		m := simulate(s).measure()
		for _, problem := range m.check(s) {
			t.Errorf("%s%s", m.row(s), problem)
		}
	}
}

func TestASimulationIsTheSameEveryTime(t *testing.T) {
	s := smallFleet()
	s.outage = time.Hour
	first := simulate(s).measure()
	if again := simulate(s).measure(); again != first {
		t.Errorf("%+v, and then %+v", first, again)
	}
	s.seed++
	if other := simulate(s).measure(); other == first {
		t.Error("another seed changes nothing")
	}
}

func TestTheTableHasEveryRowInOrderAndSaysItsSeed(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"-hosts", "60", "-seed", "7"}, &out, &errs); code != 0 || errs.Len() > 0 {
		t.Errorf("exit code %d, and the error %q", code, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	rows := scenarios(smallFleet())
	if !strings.Contains(lines[0], "seed 7") || len(lines) != 3+len(rows) {
		t.Fatalf("the table is\n%s", out.String())
	}
	for i, s := range rows {
		if line := lines[3+i]; !strings.HasPrefix(line, short(s.outage)+" ") {
			t.Errorf("row %d is of an outage of %v: %s", i, s.outage, line)
		}
	}
}

// A check that cannot fail shows nothing.
func TestEachCheckFailsAFleetThatIsNotCalm(t *testing.T) {
	for _, test := range []struct {
		problem string
		spoil   func(*scenario, *measures)
	}{
		{"neither delivered nor spooled", func(_ *scenario, m *measures) { m.lost = 1 }},
		{"more than a probe a minute", func(_ *scenario, m *measures) { m.probes = 9 }},
		{"do not become fewer", func(s *scenario, _ *measures) { s.longest = 10 * time.Minute }},
		{"never catch up", func(_ *scenario, m *measures) { m.behind = 1 }},
		{"a second collapse", func(_ *scenario, m *measures) { m.useful = 0.5 }},
		{"requests in a second", func(_ *scenario, m *measures) { m.peak = 500 }},
		{"the last backlog", func(_ *scenario, m *measures) { m.drained = 10 * time.Hour }},
	} {
		s := smallFleet()
		s.outage = time.Hour
		m := simulate(s).measure()
		test.spoil(&s, &m)
		if got := strings.Join(m.check(s), "\n"); !strings.Contains(got, test.problem) {
			t.Errorf("the problems are %q, want %q", got, test.problem)
		}
	}
}

// What the runs of a fleet that starts in one second do to a healthy listener is why timers spread.
func TestTimersThatDoNotSpreadOverloadAHealthyListener(t *testing.T) {
	s := smallFleet()
	s.period, s.outage, s.timer = time.Minute, 5*time.Minute, time.Second
	if m := simulate(s).measure(); m.refused < 0.5 {
		t.Errorf("%.2f requests fail for each good answer, want 0.5 at least", m.refused)
	}
	s.timer = defaultScenario().timer
	if m := simulate(s).measure(); m.refused > 0.2 {
		t.Errorf("with timers that spread, %.2f requests fail for each good answer, want 0.2 at most", m.refused)
	}
}

func TestTheListenerAnswersInOrderAndRefusesWhatWouldWaitTooLong(t *testing.T) {
	const ms = time.Millisecond
	l := listener{up: time.Second, service: 100 * ms, queue: 250 * ms, timeout: 300 * ms, way: 10 * ms, ends: make([]time.Duration, 2)}
	if how, known := l.send(999 * ms); how != refused || known != 1019*ms {
		t.Errorf("before it is up: %v at %v", how, known)
	}
	for i, want := range []struct {
		how   outcome
		known time.Duration
	}{{good, 1120 * ms}, {good, 1120 * ms}, {good, 1220 * ms}, {good, 1220 * ms}, {late, 1300 * ms}, {late, 1300 * ms}, {full, 1020 * ms}} {
		if how, known := l.send(time.Second); how != want.how || known != want.known {
			t.Errorf("request %d went %v at %v, want %v at %v", i, how, known, want.how, want.known)
		}
	}
}

func TestThePictureInTheDocumentsIsCurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.svg")
	if err := drawInto(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := os.ReadFile("../doc/fleet.svg"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the picture is drawn differently now (%v): run make fleet-picture", err)
	}
}
