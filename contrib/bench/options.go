//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// options are the command line's.
type options struct {
	files    int
	size     int
	rounds   int
	json     bool
	patience time.Duration // spent on waiting for others to be calm
	dir      string        // where the spool is made; "": an ext4 of our own where possible

	latency bool // the latency experiment after the race
	trips   int  // round trips of the latency experiment

	scale      bool
	scaleFiles int

	idle     bool
	idleRuns int
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.files, "files", 20_000, "payload files in a spool")
	flags.IntVar(&o.size, "size", 1024, "bytes in a payload file")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds, of which the medians are printed")
	flags.DurationVar(&o.patience, "patience", 0, "for so long, repeat what was measured while others kept the processors busy")
	flags.BoolVar(&o.json, "json", false, "print JSON for machines instead of Markdown")
	flags.StringVar(&o.dir, "dir", "", "make the spool in `DIR` instead of an ext4 of its own")
	flags.BoolVar(&o.latency, "latency", true, "also measure a listener that takes 20 ms")
	flags.IntVar(&o.trips, "trips", 200, "round trips of the measurement with the slow listener")
	flags.BoolVar(&o.scale, "scale", false, "instead: drain a very large spool with the built binary")
	flags.IntVar(&o.scaleFiles, "scale-files", 1_000_000, "payload files in the very large spool")
	flags.BoolVar(&o.idle, "idle", false, "instead: measure a run that finds an empty spool")
	flags.IntVar(&o.idleRuns, "idle-runs", 200, "runs that find an empty spool")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.scale && o.idle {
		return o, errors.New("-scale and -idle are two programs; choose one")
	}
	for _, n := range []int{o.files, o.rounds, o.trips, o.scaleFiles, o.idleRuns} {
		if n < 1 {
			return o, errors.New("there must be at least one file, round and run")
		}
	}
	if o.size < minPayload {
		return o, fmt.Errorf("-size %d: a payload file has at least %d bytes", o.size, minPayload)
	}
	return o, nil
}

// mostFiles is how many payload files are in the spool at one time.
func (o options) mostFiles() int {
	switch {
	case o.scale:
		return max(o.scaleFiles, o.files)
	case o.idle:
		return 1
	}
	return max(o.files, o.trips*mostConcurrent)
}
