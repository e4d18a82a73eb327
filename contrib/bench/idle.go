//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Targets for a run that finds an empty spool.
const (
	mostIdle       = 1.3 // times the empty program, and the one with the same imports
	mostIdleMemory = 12  // MiB
	memoryRuns     = 9
	idleTurns      = 20 // of which a ratio is formed
)

// idleCost is what the runs of one program cost, each.
type idleCost struct {
	wall, cpu    []float64 // milliseconds
	instructions []float64 // millions; none where they cannot be counted
	memory       []float64 // at the peak, MiB
}

// idleRun measures a run that finds an empty spool beside two programs that do nothing. One of them
// imports what the command imports, and so tells what the run itself costs. That a run writes
// nothing then is tested in cmd/spoolfwd.
func (b *bench) idleRun(w io.Writer) error {
	names := []string{"spoolfwd run", "empty program with the same imports", "empty program"}
	if err := errors.Join(b.buildEmpty("imports", true), b.buildEmpty("empty", false)); err != nil {
		return err
	}
	for _, name := range []string{"spoolfwd", "imports", "empty"} {
		if err := b.asInstalled(name); err != nil {
			return err
		}
	}
	programs := []func() *exec.Cmd{
		func() *exec.Cmd { return b.command("http://127.0.0.1:1/") },
		func() *exec.Cmd { return b.emptyCommand("imports") },
		func() *exec.Cmd { return b.emptyCommand("empty") },
	}
	costs := make([]idleCost, len(programs))
	runtime.LockOSThread() // which starts the processes whose instructions are counted
	defer runtime.UnlockOSThread()
	count, errCount := countInstructions()
	if errCount == nil {
		defer count.close()
	}
	for n := range b.idleRuns {
		for i := range programs {
			i = (i + n) % len(programs) // they take turns in being first
			cmd := programs[i]()
			began := time.Now()
			if err := cmd.Run(); err != nil {
				return err
			}
			c := &costs[i]
			c.wall = append(c.wall, time.Since(began).Seconds()*1000)
			c.cpu = append(c.cpu, cpuOf(cmd)*1000)
			if errCount == nil {
				n, err := count.sinceLast()
				if err != nil {
					return err
				}
				c.instructions = append(c.instructions, float64(n)/1e6)
			}
		}
	}
	_, errStrace := exec.LookPath("strace")
	for n := 0; n < memoryRuns && errStrace == nil; n++ {
		for i := range programs {
			peak, err := idleMemory(programs[i]())
			if err != nil {
				return err
			}
			costs[i].memory = append(costs[i].memory, float64(peak)/(1<<20))
		}
	}
	fmt.Fprintf(w, "%s; an empty spool, a closed breaker, medians of %d runs\n\n", b.machine(), b.idleRuns)
	fmt.Fprintf(w, "| | %s |\n|---|--:|--:|--:|\n", strings.Join(names, " | "))
	var ratios []ratio
	row := func(name, unit string, of func(idleCost) []float64, missing error) {
		if missing != nil {
			fmt.Fprintf(w, "| %s | not measured: %v | | |\n", name, missing)
			return
		}
		fmt.Fprintf(w, "| %s, %s", name, unit)
		for _, c := range costs {
			fmt.Fprintf(w, " | %.2f", summarize(of(c)).median)
		}
		fmt.Fprintln(w, " |")
		for i, to := range []string{"the same imports", "the empty program"} {
			if unit != "MiB" {
				ratios = append(ratios, ratio{text: name + ", to " + to, spread: inTurns(of(costs[0]), of(costs[i+1])), limit: mostIdle, atMost: true})
			}
		}
	}
	row("wall time", "ms", func(c idleCost) []float64 { return c.wall }, nil)
	row("CPU time", "ms", func(c idleCost) []float64 { return c.cpu }, nil)
	row("instructions", "millions", func(c idleCost) []float64 { return c.instructions }, errCount)
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

// emptyCommand runs a program that buildEmpty built, with the arguments and the environment of a
// run.
func (b *bench) emptyCommand(name string) *exec.Cmd {
	cmd := b.command("")
	cmd.Path, cmd.Args[0] = b.program(name), b.program(name)
	return cmd
}

// buildEmpty builds a program that does nothing. With the imports of the command it costs the Go
// runtime and the packages' initialization. An overlay shows it to the Go tool as part of this
// module; nothing is written into the checkout.
func (b *bench) buildEmpty(name string, imports bool) error {
	const command = "github.com/bitville-apm/spoolfwd/cmd/spoolfwd"
	out, err := exec.Command("go", "list", "-f", `{{.Dir}}{{range .Imports}}{{"\n"}}{{.}}{{end}}`, command).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	lines := strings.Fields(string(out))
	var source strings.Builder
	source.WriteString("package main\n\n")
	for _, path := range lines[1:] {
		if imports {
			fmt.Fprintf(&source, "import _ %q\n", path)
		}
	}
	source.WriteString("\nfunc main() {}\n")
	file, overlay := b.program(name+".go"), b.program(name+".json")
	if err := os.WriteFile(file, []byte(source.String()), 0o600); err != nil {
		return err
	}
	// Below the command, whose internal packages it imports.
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(lines[0], name, "main.go"): file}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return err
	}
	return b.build("-overlay", overlay, "-o", b.program(name), command+"/"+name)
}
