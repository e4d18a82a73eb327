package main

import (
	"fmt"
	"strings"
	"time"
)

// measures is what the table shows of a simulation.
type measures struct {
	probes  float64       // requests a second, in the second half of the outage
	peak    int           // the most requests in a second after the outage
	useful  float64       // the worst minute after it: good answers, of what the listener could give
	refused float64       // requests without a good answer per good answer, after the outage
	drained time.Duration // when the last backlog was delivered, from the end of the outage
	least   time.Duration // as if the listener had been busy all the time
	behind  int           // hosts that never caught up
	lost    int
}

func (f *fleet) measure() measures {
	m := measures{behind: f.behind, lost: f.lost, useful: 1}
	up := int(f.outage / time.Second)
	for _, s := range f.seconds[up/2 : up] {
		m.probes += float64(s.sum()) / float64(up-up/2)
	}
	var all, minute second
	for i, s := range f.seconds[up:] {
		m.peak = max(m.peak, s.sum())
		for how := range s {
			all[how] += s[how]
			minute[how] += s[how]
		}
		if i%60 < 59 {
			continue
		}
		// A listener that is asked for less than it can give may be idle.
		if could := 60 * f.capacity(); float64(minute.sum()) > could {
			m.useful = min(m.useful, float64(minute[good])/could)
		}
		minute = second{}
	}
	m.refused = float64(all.sum()-int(all[good])) / float64(all[good])
	backlog := 0
	for i := range f.hosts {
		h := &f.hosts[i]
		backlog += h.backlog
		m.drained = max(m.drained, h.drainedAt-f.outage)
	}
	m.least = time.Duration(float64(backlog) / f.capacity() * float64(time.Second))
	return m
}

func (s second) sum() int { return int(s[good] + s[refused] + s[full] + s[late]) }

// check returns what is wrong with a row.
func (m measures) check(s scenario) []string {
	var problems []string
	expect := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	expect(m.lost == 0, "%d payloads are neither delivered nor spooled", m.lost)
	hosts := float64(s.hosts)
	expect(m.probes <= 1.02*hosts/60, "more than a probe a minute and host")
	if s.longest > 0 && s.outage > 2*s.longest {
		// A grown timeout is three quarters of the longest on average.
		expect(m.probes <= 1.2*hosts/(0.75*s.longest.Seconds()), "the probes do not become fewer")
	}
	if s.queue > s.timeout && s.longest < time.Hour {
		return problems // this listener collapses; the table shows it
	}
	expect(m.behind == 0, "%d hosts never catch up", m.behind)
	expect(m.useful >= 0.8, "a second collapse: %.0f%% of what the listener can give", 100*m.useful)
	// A host whose requests are refused at once sends six in its second of the minute: its probe,
	// and the failures that open its breaker. In a small fleet, one host alone may send more.
	expect(float64(m.peak) <= max(s.capacity(), 6*hosts/60)+64, "%d requests in a second", m.peak)
	slowest := m.least*3/2 + 10*time.Minute + 3*min(s.longest, s.outage)/2
	expect(m.drained <= slowest, "the last backlog is delivered after more than %v", slowest.Round(time.Second))
	return problems
}

const (
	tableHead = "outage   longest   in flight  queue  probes/s  peak/s  worst minute  failed/good  drained    at best\n"
	rowFormat = "%-8s %-9s %-10s %-6s %8.1f %7d %12.0f%% %12.2f  %-10s %s\n"
)

func (m measures) row(s scenario) string {
	inFlight, longest, drained := "auto", "off", short(m.drained)
	if s.concurrency > 0 {
		inFlight = fmt.Sprint(s.concurrency)
	}
	if s.longest > 0 {
		longest = short(s.longest)
	}
	if m.behind > 0 {
		drained = "never"
	}
	return fmt.Sprintf(rowFormat, short(s.outage), longest, inFlight, short(s.queue), m.probes, m.peak, 100*m.useful, m.refused, drained, short(m.least))
}

// short is a duration without zeros behind.
func short(d time.Duration) string {
	text := d.Round(time.Second).String()
	if d >= time.Hour {
		text = d.Round(time.Minute).String()
	}
	if rest, ok := strings.CutSuffix(text, "m0s"); ok {
		text = rest + "m"
	}
	if rest, ok := strings.CutSuffix(text, "h0m"); ok {
		text = rest + "h"
	}
	return text
}
