//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// idleResult is what runs with an empty spool and a closed breaker show.
type idleResult struct {
	Machine      machine     `json:"machine"`
	Runs         int         `json:"runs"`
	Wall         [2]spreadOf `json:"wall_milliseconds"` // of the command, of the empty program
	Instructions [2]spreadOf `json:"instructions"`
	CountedBy    string      `json:"instructions_counted_by"` // "" where no tool can
	Memory       [2]spreadOf `json:"peak_memory_mib"`
	Written      []string    `json:"files_written"`
	ForWriting   []string    `json:"files_opened_for_writing"`
	Sockets      []string    `json:"sockets"`
	Traced       bool        `json:"traced"` // Memory, Written, ForWriting and Sockets are known
	Init         []initCost  `json:"package_initialization"`
	Ratios       []ratio     `json:"ratios"`
}

// judge forms the ratios.
func (r *idleResult) judge() {
	add := func(text string, value, limit float64) { r.Ratios = append(r.Ratios, single(text, value, limit)) }
	add("wall time to the empty program", r.Wall[0].Median/r.Wall[1].Median, mostIdle)
	if r.CountedBy != "" {
		add("instructions to the empty program", r.Instructions[0].Median/r.Instructions[1].Median, mostIdle)
	}
	if r.Traced {
		add("peak memory, MiB", r.Memory[0].Median, mostIdleMemory)
		add("files written", float64(len(r.Written)), 0)
		add("sockets", float64(len(r.Sockets)), 0)
	}
}

func (r *idleResult) markdown(w io.Writer) {
	fmt.Fprintf(w, "%s; an empty spool, a closed breaker, medians of %d runs\n\n", r.Machine, r.Runs)
	fmt.Fprint(w, "| | spoolfwd run | empty program with the same imports |\n|---|--:|--:|\n")
	row := func(what, format string, both [2]spreadOf) {
		fmt.Fprintf(w, "| %s | "+format+" | "+format+" |\n", what, both[0].Median, both[1].Median)
	}
	row("wall time, ms", "%.2f", r.Wall)
	if r.CountedBy != "" {
		row("instructions in user mode, counted by "+r.CountedBy, "%.0f", r.Instructions)
	}
	if r.Traced {
		row("peak memory, MiB", "%.1f", r.Memory)
	}
	fmt.Fprintln(w)
	printRatios(w, r.Ratios)
	if r.Traced {
		fmt.Fprintf(w, "\nOpened for writing: %s. Written: %s. Sockets: %s.\n", listed(r.ForWriting), listed(r.Written), listed(r.Sockets))
	}
	fmt.Fprint(w, "\n| package initialization | ms | bytes allocated |\n|---|--:|--:|\n")
	for _, c := range r.Init {
		fmt.Fprintf(w, "| %s | %.3f | %s |\n", c.Package, c.Took, c.Bytes)
	}
}

func listed(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
