//go:build linux

package main

import "slices"

// spreadOf is the median of values measured in several rounds, with the lowest and
// the highest.
type spreadOf struct {
	Median float64 `json:"median"`
	Lowest float64 `json:"lowest"`
	Most   float64 `json:"highest"`
}

func summarize(values []float64) spreadOf {
	if len(values) == 0 {
		return spreadOf{}
	}
	s := slices.Sorted(slices.Values(values))
	return spreadOf{Median: median(s), Lowest: s[0], Most: s[len(s)-1]}
}

// median of sorted values.
func median(sorted []float64) float64 {
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// ratio is a comparison that was made.
type ratio struct {
	Text string `json:"text"`
	spreadOf
	Target *target `json:"target,omitempty"`
}

// target is what a ratio should be.
type target struct {
	Limit   float64 `json:"limit"`
	AtMost  bool    `json:"at_most,omitempty"` // else at least
	Reached bool    `json:"reached"`
}

func newTarget(limit float64, atMost bool, value float64) *target {
	return &target{Limit: limit, AtMost: atMost, Reached: value >= limit && !atMost || value <= limit && atMost}
}

// of forms the ratio within each round, so that what slowed a round down slowed both
// sides of it.
func (c comparison) of(turns map[string][]turn) ratio {
	var values []float64
	for round, over := range turns[c.over] {
		under := turns[c.under][round]
		if c.what == cpuTimeUsed {
			values = append(values, over.CPU/under.CPU)
		} else {
			values = append(values, under.Seconds/over.Seconds)
		}
	}
	r := ratio{Text: c.text, spreadOf: summarize(values)}
	if c.want > 0 {
		r.Target = newTarget(c.want, c.lowerIsBetter, r.Median)
	}
	return r
}
