//go:build linux

package main

import (
	"os/exec"
	"time"
)

// What a run that finds an empty spool may cost.
const (
	mostIdle       = 1.3 // times the empty program, in wall time and instructions
	mostIdleMemory = 12  // MiB
	countedRuns    = 9   // runs whose instructions are counted, which takes long
)

// idleTick measures the command with nothing to do beside a program that does
// nothing.
func (b *bench) idleTick() (result, error) {
	if err := b.buildEmpty(); err != nil {
		return nil, err
	}
	r := &idleResult{Machine: b.machine, Runs: b.idleRuns}
	both := [2]func() *exec.Cmd{
		func() *exec.Cmd { return b.spoolfwd("http://127.0.0.1:1/") },
		func() *exec.Cmd {
			cmd := b.spoolfwd("")
			cmd.Path, cmd.Args[0] = b.program("empty"), b.program("empty")
			return cmd
		},
	}
	for _, step := range []func(*idleResult, [2]func() *exec.Cmd) error{b.wallTimes, b.instructions, b.memory, b.traces, b.initTrace} {
		if err := step(r, both); err != nil {
			return nil, err
		}
	}
	r.judge()
	return r, nil
}

// wallTimes runs both in turn, and takes turns in who goes first.
func (b *bench) wallTimes(r *idleResult, both [2]func() *exec.Cmd) error {
	var times [2][]float64
	for n := range b.idleRuns {
		for i := range both {
			i = (i + n) % 2
			cmd := both[i]()
			began := time.Now()
			if err := cmd.Run(); err != nil {
				return err
			}
			times[i] = append(times[i], time.Since(began).Seconds()*1000)
		}
	}
	r.Wall = [2]spreadOf{summarize(times[0]), summarize(times[1])}
	b.say("%d runs of both are over", b.idleRuns)
	return nil
}

// instructions counts those of the programs themselves, not the kernel's: with the
// processor's counters, which virtual machines seldom have, else with valgrind.
func (b *bench) instructions(r *idleResult, both [2]func() *exec.Cmd) error {
	var count func(*exec.Cmd) (float64, error)
	for _, c := range []counter{{"perf", b.withPerf}, {"valgrind", b.withValgrind}} {
		if _, err := exec.LookPath(c.name); err != nil {
			b.say("%s is not installed", c.name)
			continue
		}
		if _, err := c.count(both[1]()); err != nil {
			b.say("%s counts no instructions here: %v", c.name, err)
			continue
		}
		r.CountedBy, count = c.name, c.count
		break
	}
	if count == nil {
		return nil
	}
	var counts [2][]float64
	for range countedRuns {
		for i := range both {
			n, err := count(both[i]())
			if err != nil {
				return err
			}
			counts[i] = append(counts[i], n)
		}
	}
	r.Instructions = [2]spreadOf{summarize(counts[0]), summarize(counts[1])}
	return nil
}

// wrapped puts a program in front of a command.
func wrapped(cmd *exec.Cmd, name string, args ...string) *exec.Cmd {
	all := append(append(args, cmd.Path), cmd.Args[1:]...)
	outer := exec.Command(name, all...)
	outer.Env, outer.SysProcAttr = cmd.Env, cmd.SysProcAttr
	return outer
}
