// Fleet simulates many hosts that send to one listener, through an outage and the time after it,
// in virtual time. It prints a table and draws a picture. contrib/doc/beyond-one-host.md says what
// follows from them.
//
// # What is real
//
// Each host has a breaker (package breaker), which is asked and told through its methods, and a
// limit of requests in flight (drain.Ramp), which is that of a run. Nothing is written to disk.
//
// # What is a model
//
// The rest is a model of the rules that matter to a fleet. A timer starts a run each minute, at a
// second of its own. The run ends if its spool is empty, waits for a probe that is due within ten
// seconds, and otherwise sends what was spooled when it began, each payload once. It ends when
// nothing is left or when the breaker opens. Payloads are numbers without content: none is refused,
// none comes in batches, and there is no order among them. Time passes only between a request and
// its answer. Connections cost nothing, and no Retry-After is sent.
//
// # What it checks
//
// Each row of the table is checked: no payload is lost, the probes of an outage and the load at its
// end stay within bounds, the last backlog is drained in time, and the listener does not collapse
// under those who come back. A row that fails is marked, and the exit code is 1.
//
// The rows of 10,000 hosts take about three minutes of processor time, most of it for the probes of
// three days. All rows of an hour take less than twenty seconds.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	s := defaultScenario()
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.hosts, "hosts", s.hosts, "hosts of the fleet")
	flags.Uint64Var(&s.seed, "seed", s.seed, "seed of the hosts' seconds and payloads")
	flags.Float64Var(&s.jitter, "jitter", s.jitter, "--retry-jitter of all hosts")
	flags.DurationVar(&s.timer, "timer", s.timer, "the hosts' timers spread over `D` of each minute")
	draw := flags.String("draw", "", "instead: draw the picture into `FILE`")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil || flags.NArg() > 0 || s.hosts < 1 || s.timer < 1 || s.timer > time.Minute:
		fmt.Fprintln(stderr, "fleet: at least one host, and a timer within its minute")
		return 64
	}
	var err error
	if *draw != "" {
		err = drawInto(*draw)
	} else {
		err = printTable(stdout, s)
	}
	if err != nil {
		fmt.Fprintln(stderr, "fleet:", err)
		return 1
	}
	return 0
}

// scenarios are the rows of the table.
func scenarios(s scenario) []scenario {
	var all []scenario
	for _, of := range []struct{ outage, queue time.Duration }{
		{5 * time.Minute, s.queue}, {time.Hour, s.queue}, {72 * time.Hour, s.queue}, {time.Hour, 2 * s.timeout},
	} {
		s.outage, s.queue = of.outage, of.queue
		for _, s.longest = range []time.Duration{0, 10 * time.Minute, time.Hour} {
			for _, s.concurrency = range []int{0, 16} {
				all = append(all, s)
			}
		}
	}
	return all
}

// printTable simulates two rows at a time and prints them in order.
func printTable(w io.Writer, s scenario) error {
	fmt.Fprintf(w, "%d hosts, a payload each per %v, a listener that takes %.0f payloads a second, seed %d\n\n", s.hosts, s.period, s.capacity(), s.seed)
	fmt.Fprint(w, tableHead)
	rows := scenarios(s)
	results := make([]chan measures, len(rows))
	for i := range results {
		results[i] = make(chan measures, 1)
	}
	for first := range 2 {
		go func() {
			for i := first; i < len(rows); i += 2 {
				results[i] <- simulate(rows[i]).measure()
			}
		}()
	}
	failed := false
	for i, c := range results {
		m := <-c
		problems := m.check(rows[i])
		failed = failed || len(problems) > 0
		fmt.Fprint(w, m.row(rows[i]))
		for _, p := range slices.Compact(problems) {
			fmt.Fprintf(w, "  ! %s\n", p)
		}
	}
	if failed {
		return errors.New("a check failed")
	}
	return nil
}
