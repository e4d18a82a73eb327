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
	"strings"
	"time"
)

// Targets for a run that finds an empty spool.
const (
	mostIdle       = 1.3 // times the empty program with the same imports
	mostIdleMemory = 12  // MiB
	memoryRuns     = 9
	idleTurns      = 20 // of which a ratio is formed
)

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
	wall, cpu, memory := make([][]float64, len(names)), make([][]float64, len(names)), make([][]float64, len(names))
	for n := range b.idleRuns {
		for i := range programs {
			i = (i + n) % len(programs) // they take turns in being first
			cmd := programs[i]()
			began := time.Now()
			if err := cmd.Run(); err != nil {
				return err
			}
			wall[i] = append(wall[i], time.Since(began).Seconds()*1000)
			cpu[i] = append(cpu[i], cpuOf(cmd)*1000)
		}
	}
	_, err := exec.LookPath("strace")
	for n := 0; n < memoryRuns && err == nil; n++ {
		for i := range programs {
			peak, err := idleMemory(programs[i]())
			if err != nil {
				return err
			}
			memory[i] = append(memory[i], float64(peak)/(1<<20))
		}
	}
	fmt.Fprintf(w, "%s; an empty spool, a closed breaker, medians of %d runs\n\n", b.machine(), b.idleRuns)
	fmt.Fprintf(w, "| | %s |\n|---|--:|--:|--:|\n", strings.Join(names, " | "))
	row := func(name string, of [][]float64) {
		fmt.Fprintf(w, "| %s | %.2f | %.2f | %.2f |\n", name, summarize(of[0]).median, summarize(of[1]).median, summarize(of[2]).median)
	}
	row("wall time, ms", wall)
	row("CPU time, ms", cpu)
	ratios := []ratio{
		{text: "wall time, to the same imports", spread: inTurns(wall[0], wall[1]), limit: mostIdle, atMost: true},
		{text: "CPU time, to the same imports", spread: inTurns(cpu[0], cpu[1]), limit: mostIdle, atMost: true},
		{text: "wall time, to the empty program", spread: inTurns(wall[0], wall[2])},
		{text: "CPU time, to the empty program", spread: inTurns(cpu[0], cpu[2])},
	}
	if err != nil {
		b.progress("peak memory is not measured: %v", err)
	} else {
		row("peak memory, MiB", memory)
		ratios = append(ratios, ratio{text: "peak memory, MiB", spread: summarize(memory[0]), limit: mostIdleMemory, atMost: true})
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
