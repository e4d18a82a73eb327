//go:build linux

package main

import (
	"fmt"
	"io"
)

// raceResult is what a race shows.
type raceResult struct {
	Machine    machine     `json:"machine"`
	Files      int         `json:"files"`
	Size       int         `json:"size"`
	Rounds     int         `json:"rounds"`
	Contenders []speedOf   `json:"contenders"`
	Ratios     []ratio     `json:"ratios"`
	Trips      int         `json:"round_trips_of_latency"`
	Latency    []slowDrain `json:"latency,omitempty"`
}

// speedOf is how fast a contender was.
type speedOf struct {
	Name string   `json:"name"`
	Rate spreadOf `json:"payloads_per_second"`
	CPU  spreadOf `json:"cpu_microseconds_per_payload"`
	// Heard is what the listener used.
	Heard spreadOf `json:"listener_cpu_microseconds_per_payload"`
	// Others is the share of the processors that others used meanwhile.
	Others spreadOf `json:"others"`
	Turns  []turn   `json:"turns"`
}

func (b *bench) summary(name string, turns []turn) speedOf {
	var rate, cpu, heard, others []float64
	for _, t := range turns {
		rate = append(rate, float64(b.files)/t.Seconds)
		cpu = append(cpu, t.CPU*1e6/float64(b.files))
		heard = append(heard, t.Heard*1e6/float64(b.files))
		others = append(others, t.Others)
	}
	return speedOf{Name: name, Rate: summarize(rate), CPU: summarize(cpu), Heard: summarize(heard),
		Others: summarize(others), Turns: turns}
}

func (r *raceResult) markdown(w io.Writer) {
	fmt.Fprintf(w, "%s; %d files of %d bytes, fakelistener on loopback, medians of %d rounds\n\n",
		r.Machine, r.Files, r.Size, r.Rounds)
	fmt.Fprint(w, "| contender | payloads/s | lowest to highest | CPU us/payload | listener's | used by others |\n|---|--:|--:|--:|--:|--:|\n")
	for _, c := range r.Contenders {
		fmt.Fprintf(w, "| %s | %.0f | %.0f to %.0f | %.1f | %.1f | %.0f %% |\n",
			c.Name, c.Rate.Median, c.Rate.Lowest, c.Rate.Most, c.CPU.Median, c.Heard.Median, 100*c.Others.Median)
	}
	fmt.Fprintln(w)
	printRatios(w, r.Ratios)
	if len(r.Latency) > 0 {
		fmt.Fprintln(w)
		printLatency(w, r.Latency, r.Trips)
	}
}

func printRatios(w io.Writer, ratios []ratio) {
	fmt.Fprint(w, "| ratio | median | lowest to highest | target | |\n|---|--:|--:|--:|---|\n")
	for _, r := range ratios {
		fmt.Fprintf(w, "| %s | %.2f | %.2f to %.2f | %s |\n", r.Text, r.Median, r.Lowest, r.Most, r.Target)
	}
}

// String is two cells of a table.
func (t *target) String() string {
	if t == nil {
		return "|"
	}
	sign, verdict := ">=", "missed"
	if t.AtMost {
		sign = "<="
	}
	if t.Reached {
		verdict = "reached"
	}
	return fmt.Sprintf("%s %.2f | %s", sign, t.Limit, verdict)
}
