//go:build linux

package main

import (
	"encoding/json"
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
	mostIdle       = 1.3 // times the empty program
	mostIdleMemory = 12  // MiB
	memoryRuns     = 9
)

// idleRun measures a run that finds an empty spool beside a program that does nothing. That a run
// writes nothing then is tested in cmd/spoolfwd.
func (b *bench) idleRun(w io.Writer) error {
	if err := b.buildEmpty(); err != nil {
		return err
	}
	programs := [2]func() *exec.Cmd{
		func() *exec.Cmd { return b.command("http://127.0.0.1:1/") },
		func() *exec.Cmd {
			cmd := b.command("")
			cmd.Path, cmd.Args[0] = b.program("empty"), b.program("empty")
			return cmd
		},
	}
	var wall, cpu, memory [2][]float64
	for n := range b.idleRuns {
		for i := range programs {
			i = (i + n) % 2 // they take turns in being first
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
	fmt.Fprint(w, "| | spoolfwd run | empty program with the same imports |\n|---|--:|--:|\n")
	row := func(name string, both [2][]float64) (over float64) {
		first, second := summarize(both[0]).median, summarize(both[1]).median
		fmt.Fprintf(w, "| %s | %.2f | %.2f |\n", name, first, second)
		return first / second
	}
	overWall, overCPU := row("wall time, ms", wall), row("CPU time, ms", cpu)
	ratios := []ratio{
		{text: "wall time, to the empty program", spread: summarize([]float64{overWall}), limit: mostIdle, atMost: true},
		{text: "CPU time, to the empty program", spread: summarize([]float64{overCPU}), limit: mostIdle, atMost: true},
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

// idleMemory returns the peak memory of a program that lives for milliseconds: strace holds it at
// its end until it has been asked.
func idleMemory(cmd *exec.Cmd) (int64, error) {
	// -D makes the program this process's child and strace its grandchild.
	held := exec.Command("strace", append([]string{"-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=exit_group",
		"-e", "inject=exit_group:delay_enter=100000", cmd.Path}, cmd.Args[1:]...)...)
	held.Env, held.SysProcAttr = cmd.Env, cmd.SysProcAttr
	return runAndWatch(held, cmd.Path)
}

// buildEmpty builds a program that imports what the command imports and does nothing: the cost of
// the Go runtime and of the packages' initialization. An overlay shows it to the Go tool as part of
// this module; nothing is written into the checkout.
func (b *bench) buildEmpty() error {
	const command = "github.com/bitville-apm/spoolfwd/cmd/spoolfwd"
	out, err := exec.Command("go", "list", "-f", `{{.Dir}}{{range .Imports}}{{"\n"}}{{.}}{{end}}`, command).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	lines := strings.Fields(string(out))
	var source strings.Builder
	source.WriteString("package main\n\n")
	for _, path := range lines[1:] {
		fmt.Fprintf(&source, "import _ %q\n", path)
	}
	source.WriteString("\nfunc main() {}\n")
	file := b.program("empty.go")
	if err := os.WriteFile(file, []byte(source.String()), 0o600); err != nil {
		return err
	}
	// Below the command, whose internal packages it imports.
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(lines[0], "empty", "main.go"): file}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.program("overlay.json"), overlay, 0o600); err != nil {
		return err
	}
	return b.build("-overlay", b.program("overlay.json"), "-o", b.program("empty"), command+"/empty")
}
