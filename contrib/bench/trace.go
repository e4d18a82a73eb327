//go:build linux

package main

import (
	"cmp"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// memory measures the most that each program had. They live for milliseconds, so
// strace holds them at their end until they have been looked at.
func (b *bench) memory(r *idleResult, both [2]func() *exec.Cmd) error {
	if _, err := exec.LookPath("strace"); err != nil {
		b.say("strace is not installed: memory, files and sockets are not known")
		return nil
	}
	r.Traced = true
	var peaks [2][]float64
	for range countedRuns {
		for i := range both {
			cmd := both[i]()
			// -D makes the program this process's child and strace its grandchild.
			held := wrapped(cmd, "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=exit_group",
				"-e", "inject=exit_group:delay_enter="+holdMicroseconds)
			peak, err := watched(held, cmd.Path)
			if err != nil {
				return err
			}
			peaks[i] = append(peaks[i], float64(peak)/(1<<20))
		}
	}
	r.Memory = [2]spreadOf{summarize(peaks[0]), summarize(peaks[1])}
	return nil
}

const holdMicroseconds = "100000"

var (
	forWriting = regexp.MustCompile(`^(?:openat|open|creat)\(.*?"([^"]*)".*\b(?:O_WRONLY|O_RDWR|O_CREAT)\b`)
	written    = regexp.MustCompile(`^(?:write|pwrite64|writev|pwritev|ftruncate|fallocate)\(\d+<(/[^>]*)>`)
	changed    = regexp.MustCompile(`^(?:renameat2?|rename|unlinkat|unlink|mkdirat|mkdir|linkat|link|symlinkat|truncate)\(.*?"([^"]*)"`)
	socket     = regexp.MustCompile(`^(?:socket|connect)\((.*)$`)
)

// traces lists what the command does to files and sockets.
func (b *bench) traces(r *idleResult, both [2]func() *exec.Cmd) error {
	if !r.Traced {
		return nil
	}
	file := b.program("strace.out")
	// Once before, since the first run of all makes the lock file.
	for range 2 {
		if err := wrapped(both[0](), "strace", "-f", "-qq", "-y", "-o", file, "-e",
			"trace=%file,%network,write,pwrite64,writev,pwritev,ftruncate,fallocate").Run(); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		_, call, _ := strings.Cut(line, " ") // behind the thread's number
		call = strings.TrimSpace(call)
		for _, kind := range []struct {
			form *regexp.Regexp
			list *[]string
		}{{forWriting, &r.ForWriting}, {written, &r.Written}, {changed, &r.Written}, {socket, &r.Sockets}} {
			if found := kind.form.FindStringSubmatch(call); found != nil && !slices.Contains(*kind.list, found[1]) {
				*kind.list = append(*kind.list, found[1])
			}
		}
	}
	return nil
}

// initCost is what the runtime says of one package's initialization.
type initCost struct {
	Package string  `json:"package"`
	Took    float64 `json:"milliseconds"`
	Bytes   string  `json:"bytes_allocated"`
}

var initLine = regexp.MustCompile(`^init (\S+) @.* ms, ([0-9.]+) ms clock, (\d+) bytes`)

// initTrace lists the packages whose initialization takes longest, by the medians of
// several runs (GODEBUG=inittrace=1).
func (b *bench) initTrace(r *idleResult, both [2]func() *exec.Cmd) error {
	times, bytes := map[string][]float64{}, map[string]string{}
	for range countedRuns {
		cmd := both[0]()
		cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(out)) {
			if found := initLine.FindStringSubmatch(line); found != nil {
				took, _ := time.ParseDuration(found[2] + "ms")
				times[found[1]] = append(times[found[1]], took.Seconds()*1000)
				bytes[found[1]] = found[3]
			}
		}
	}
	for name, took := range times {
		r.Init = append(r.Init, initCost{Package: name, Took: summarize(took).Median, Bytes: bytes[name]})
	}
	slices.SortFunc(r.Init, func(a, b initCost) int { return cmp.Compare(b.Took, a.Took) })
	r.Init = r.Init[:min(8, len(r.Init))]
	return nil
}
