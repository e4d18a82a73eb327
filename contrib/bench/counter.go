//go:build linux

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// counter is a tool that counts a command's instructions in user mode.
type counter struct {
	name  string
	count func(*exec.Cmd) (float64, error)
}

func (b *bench) withPerf(cmd *exec.Cmd) (float64, error) {
	file := b.program("perf.out")
	if out, err := wrapped(cmd, "perf", "stat", "-x", ",", "-e", "instructions:u", "-o", file, "--").CombinedOutput(); err != nil {
		return 0, errors.New(strings.TrimSpace(string(out)))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		value, _, ok := bytes.Cut(line, []byte(","))
		if !ok || bytes.HasPrefix(line, []byte("#")) {
			continue
		}
		n, err := strconv.ParseFloat(string(value), 64)
		if err != nil {
			return 0, errors.New(string(value))
		}
		return n, nil
	}
	return 0, errors.New("perf printed no count")
}

var guestInstructions = regexp.MustCompile(`guest instrs:\s+([0-9,]+)`)

// withValgrind counts with lackey: callgrind does not survive Go's signals.
func (b *bench) withValgrind(cmd *exec.Cmd) (float64, error) {
	out, err := wrapped(cmd, "valgrind", "--tool=lackey", "--basic-counts=yes").CombinedOutput()
	if err != nil {
		return 0, err
	}
	found := guestInstructions.FindSubmatch(out)
	if found == nil {
		return 0, errors.New("valgrind printed no count")
	}
	return strconv.ParseFloat(strings.ReplaceAll(string(found[1]), ",", ""), 64)
}
