//go:build linux

// Bench measures the built binary against what it could be replaced by and against what the machine
// allows, and prints the ratios in Markdown. README.md says how to read them.
//
// # What is measured
//
// Each contender empties the same spool: payload files of one size on a journaled ext4, into
// fakelistener, a process on the loopback interface. The contenders are the built spoolfwd, the
// loop that one would write with net/http, the least HTTP that delivers a spool, and the file
// system alone; the last three run in this process. The listener shares the processors with them,
// so a contender's speed includes what the listener costs.
//
// The contenders take turns, each round in another order. A ratio is formed within its round, and
// the median of the rounds is printed, with the lowest and the highest beside it: a shared machine
// is not the same one a minute later. Ratios within 20 % of each other are ties unless they repeat.
//
// After every turn the spool must be empty, and the listener must have received every payload
// exactly once. Otherwise the program ends.
//
// # What is left behind
//
// Nothing, unless the program is killed: then the two built programs stay in the directory for
// temporary files. As root, the spool is on an ext4 image in memory, mounted in a namespace that
// dies with the process. Otherwise it is in the directory for temporary files, and a line says so:
// without a journal, or mounted with discard, removing a file can cost more than all the rest.
//
// # What it does not do
//
// A missed target is printed and is not an error. On a machine that others use, a benchmark that
// fails is an alarm that rings for nothing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// options are those of the command line.
type options struct {
	files  int
	size   int
	rounds int
	alone  int    // runs with one payload file each
	far    int    // payload files for listeners that are far or take few requests at once
	dir    string // holds the spool; "": an ext4 of its own where possible

	scale      bool
	scaleFiles int
	idle       bool
	idleRuns   int
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.files, "files", 20_000, "payload files in a spool")
	flags.IntVar(&o.size, "size", 1024, "bytes in a payload file")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds, of which the medians are printed")
	flags.IntVar(&o.alone, "alone", 60, "runs with one payload file each over TLS, of each kind in each round")
	flags.IntVar(&o.far, "far", 2000, "payload files for listeners that are far or take few requests at once; 0: leave them out")
	flags.StringVar(&o.dir, "dir", "", "make the spool in `DIR` instead of an ext4 of its own")
	flags.BoolVar(&o.scale, "scale", false, "instead: drain a very large spool")
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
		return o, errors.New("choose one of -scale and -idle")
	}
	if min(o.files, o.rounds, o.alone, o.scaleFiles, o.idleRuns) < 1 || o.far < 0 || o.size < minPayload {
		return o, fmt.Errorf("at least one file, round and run, and %d bytes in a file", minPayload)
	}
	return o, nil
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	o, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 64
	}
	if o.dir == "" {
		inOwnMounts()
	}
	b, err := newBench(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	defer b.cleanUp()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	measure := b.race
	switch {
	case o.scale:
		measure = b.scaleUp
	case o.idle:
		measure = b.idleRun
	}
	done := make(chan error, 1)
	go func() { done <- measure(os.Stdout) }()
	select {
	case err = <-done:
	case s := <-signals: // the processes that are measured end with this one
		err = fmt.Errorf("ended by %v", s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}
