//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// options are those of the command line.
type options struct {
	only     string // glob of scenarios; default all
	workload string // glob of the matrices' workloads; default all
	ci       bool   // fewer rounds: below 15 minutes
	seed     uint64 // default from the clock
	keep     bool   // keep the directories of all rounds
	verbose  bool
	list     bool
	require  bool // a scenario that cannot run here fails
	jobs     int  // rounds at a time; default the number of processors
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	flags.StringVar(&o.only, "only", "*", "run the scenarios whose names match this `GLOB`")
	flags.StringVar(&o.workload, "workload", "*", "run the matrices with the workloads whose names match this `GLOB`")
	flags.BoolVar(&o.ci, "ci", false, "fewer rounds: the version for CI, below 15 minutes")
	flags.Uint64Var(&o.seed, "seed", 0, "repeat the random scenarios of an earlier run")
	flags.BoolVar(&o.keep, "keep", false, "keep the spools and states of all rounds")
	flags.BoolVar(&o.verbose, "v", false, "verbose messages")
	flags.BoolVar(&o.list, "list", false, "list the scenarios and what they prove")
	flags.BoolVar(&o.require, "require", false, "fail if a scenario cannot run on this machine")
	flags.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "`rounds` at a time")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	for _, glob := range []string{o.only, o.workload} {
		if _, err := path.Match(glob, ""); err != nil {
			return o, fmt.Errorf("%q: %w", glob, err)
		}
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	return o, nil
}

// run is the program. It returns the exit code: 0 when nothing was lost and nothing else went
// wrong.
func run(args []string) int {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 64
	}
	if o.list {
		list(os.Stdout)
		return 0
	}
	t, err := newTorture(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 1
	}
	defer t.cleanUp()
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, unix.SIGINT, unix.SIGTERM)
	go func() {
		<-stopped
		fmt.Fprintln(os.Stderr, "torture: interrupted")
		t.cleanUp()
		os.Exit(130)
	}()
	return t.runAll()
}
