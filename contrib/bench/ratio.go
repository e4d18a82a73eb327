//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
)

// spread is the median of values measured in several rounds, with the lowest and the highest.
type spread struct{ median, lowest, highest float64 }

func summarize(values []float64) spread {
	s := slices.Sorted(slices.Values(values))
	if len(s) == 0 {
		return spread{}
	}
	half := len(s) / 2
	median := s[half]
	if len(s)%2 == 0 {
		median = (s[half-1] + s[half]) / 2
	}
	return spread{median, s[0], s[len(s)-1]}
}

// ratio is a comparison that was made. Without a limit it is for information.
type ratio struct {
	text string
	spread
	limit  float64 // 0: none
	atMost bool    // the limit is an upper one
}

func (r ratio) reached() bool {
	return r.median >= r.limit && !r.atMost || r.median <= r.limit && r.atMost
}

func printRatios(w io.Writer, ratios []ratio) {
	fmt.Fprint(w, "\n| ratio | median | lowest to highest | target | |\n|---|--:|--:|--:|---|\n")
	for _, r := range ratios {
		sign, verdict := ">=", "missed"
		if r.atMost {
			sign = "<="
		}
		if r.reached() {
			verdict = "reached"
		}
		target := fmt.Sprintf("%s %.2f | %s", sign, r.limit, verdict)
		if r.limit == 0 {
			target = "|"
		}
		fmt.Fprintf(w, "| %s | %.2f | %.2f to %.2f | %s |\n", r.text, r.median, r.lowest, r.highest, target)
	}
}
