//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Targets for a run that finds an empty spool.
const (
	mostIdle       = 1.3 // times a program that does nothing
	mostIdleMemory = 12  // MiB
	toolRuns       = 9   // under strace, and under valgrind, at most
	idleTurns      = 20  // of which a ratio is formed
)

// idleCost is what the runs of one program cost, each.
type idleCost struct {
	wall, cpu    []float64 // milliseconds
	instructions []float64 // millions
	memory       []float64 // at the peak, MiB
}

// idleRun measures a run that finds an empty spool beside three programs that do nothing. The one
// with the same flags is what an ordinary program costs that lets the flags library read them, as
// spoolfwd does not. The one with the same imports tells what the run adds to its own start. That a
// run writes nothing is tested in cmd/spoolfwd.
func (b *bench) idleRun(w io.Writer) error {
	programs := []struct {
		name, file string
		source     func() (string, error)
	}{
		{name: "spoolfwd run", file: "spoolfwd"},
		{"a program with the same flags", "flags", b.sameFlags},
		{"a program with the same imports", "imports", sameImports},
		{"an empty program", "empty", func() (string, error) { return "package main\n\nfunc main() {}\n", nil }},
	}
	for _, p := range programs {
		if p.source != nil {
			text, err := p.source()
			if err == nil {
				err = b.buildBelow(p.file, text)
			}
			if err != nil {
				return err
			}
		}
		if err := b.asInstalled(p.file); err != nil {
			return err
		}
	}
	costs := make([]idleCost, len(programs))
	for n := range b.idleRuns {
		for i := range programs {
			i = (i + n) % len(programs) // they take turns in being first
			cmd := b.idleCommand(programs[i].file)
			began := time.Now()
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s: %w", programs[i].name, err)
			}
			c := &costs[i]
			c.wall = append(c.wall, time.Since(began).Seconds()*1000)
			c.cpu = append(c.cpu, cpuOf(cmd)*1000)
		}
	}
	_, errStrace := exec.LookPath("strace")
	_, errValgrind := exec.LookPath("valgrind")
	slowRuns := min(toolRuns, b.idleRuns)
	for range slowRuns {
		for i, p := range programs {
			if errStrace == nil {
				var peak int64
				peak, errStrace = idleMemory(b.idleCommand(p.file))
				costs[i].memory = append(costs[i].memory, float64(peak)/(1<<20))
			}
			if errValgrind == nil {
				var n float64
				n, errValgrind = instructions(b.idleCommand(p.file))
				costs[i].instructions = append(costs[i].instructions, n/1e6)
			}
		}
	}
	fmt.Fprintf(w, "%s; an empty spool, a closed breaker, medians of %d runs, and of %d for instructions and memory\n\n|",
		b.machine(), b.idleRuns, slowRuns)
	for _, p := range programs {
		fmt.Fprintf(w, " | %s", p.name)
	}
	fmt.Fprintf(w, " |\n|---%s|\n", strings.Repeat("|--:", len(programs)))
	var ratios []ratio
	row := func(name, unit string, of func(idleCost) []float64, missing error) {
		if missing != nil {
			fmt.Fprintf(w, "| %s | not measured: %v%s |\n", name, missing, strings.Repeat(" |", len(programs)-1))
			return
		}
		fmt.Fprintf(w, "| %s, %s", name, unit)
		for _, c := range costs {
			fmt.Fprintf(w, " | %.2f", summarize(of(c)).median)
		}
		fmt.Fprintln(w, " |")
		if unit == "MiB" {
			return // the target is an absolute one
		}
		for i, c := range costs[1:] {
			ratios = append(ratios, ratio{text: name + ", to " + programs[i+1].name, spread: inTurns(of(costs[0]), of(c)), limit: mostIdle, atMost: true})
		}
	}
	row("wall time", "ms", func(c idleCost) []float64 { return c.wall }, nil)
	row("CPU time", "ms", func(c idleCost) []float64 { return c.cpu }, nil)
	row("instructions outside the kernel", "millions", func(c idleCost) []float64 { return c.instructions }, errValgrind)
	row("peak memory", "MiB", func(c idleCost) []float64 { return c.memory }, errStrace)
	if errStrace == nil {
		ratios = append(ratios, ratio{text: "peak memory, MiB", spread: summarize(costs[0].memory), limit: mostIdleMemory, atMost: true})
	}
	printRatios(w, ratios)
	return nil
}

// inTurns returns the ratios of what was measured in turns, each formed of the medians of a while.
func inTurns(over, under []float64) spread {
	var ratios []float64
	for len(over) > 0 {
		n := min(idleTurns, len(over))
		ratios = append(ratios, summarize(over[:n]).median/summarize(under[:n]).median)
		over, under = over[n:], under[n:]
	}
	return summarize(ratios)
}

// idleMemory returns the peak memory of a program that lives for milliseconds: strace holds it at
// its end until it has been asked.
func idleMemory(cmd *exec.Cmd) (int64, error) {
	// -D makes the program this process's child and strace its grandchild.
	held := exec.Command("strace", append([]string{"-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=exit_group",
		"-e", "inject=exit_group:delay_enter=100000", cmd.Path}, cmd.Args[1:]...)...)
	held.Env, held.SysProcAttr = cmd.Env, cmd.SysProcAttr
	return runAndWatch(held, cmd.Path)
}

// asInstalled writes a program anew in one piece, as installing it does. The linker writes pieces,
// which the kernel caches in small pages: the start of such a file takes up to a quarter longer.
func (b *bench) asInstalled(name string) error {
	text, err := os.ReadFile(b.program(name))
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(b.program(name)), os.WriteFile(b.program(name), text, 0o700))
}

// idleCommand is a run over an empty spool, by spoolfwd or by a program in its place.
func (b *bench) idleCommand(program string) *exec.Cmd {
	cmd := b.command("http://127.0.0.1:1/")
	cmd.Path, cmd.Args[0] = b.program(program), b.program(program)
	return cmd
}

// instructions counts what a program executes outside the kernel, which depends little on other
// work on the machine. Hardware counters would do too, but few virtual machines have them.
func instructions(cmd *exec.Cmd) (float64, error) {
	counted := exec.Command("valgrind", append([]string{"--tool=callgrind", "--callgrind-out-file=/dev/null"}, cmd.Args...)...)
	// Valgrind may not survive the signals that Go sends itself on a busy machine, and some
	// versions do not know RDTSCP.
	counted.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1,cpu.rdtscp=off")
	counted.SysProcAttr = cmd.SysProcAttr
	out, err := counted.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("valgrind %s: %w", cmd.Path, err)
	}
	found := regexp.MustCompile(`Collected : (\d+)`).FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("valgrind %s: no count in its output", cmd.Path)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
