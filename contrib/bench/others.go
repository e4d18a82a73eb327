//go:build linux

package main

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"time"
)

// calm is how much of the processors others may use during a turn, if there is
// patience to wait for that. The kernel's own threads, which write the file system
// out, are among the others.
const calm = 0.2

// usage is how much processor time has been used at one moment.
type usage struct {
	at       time.Time
	busy     float64 // by everybody, in seconds
	mine     float64 // by this process
	listener float64
}

// usageNow looks at the machine, at this process and at the listener, whose pid may
// be 0.
func usageNow(listener int) usage {
	return usage{at: time.Now(), busy: machineBusy(), mine: cpuTime(), listener: processCPU(listener)}
}

// othersSince is what share of the processors others have used since then.
func (u usage) othersSince(then usage) float64 {
	there := u.at.Sub(then.at).Seconds() * float64(runtime.NumCPU())
	ours := u.mine - then.mine + u.listener - then.listener
	return max(0, (u.busy-then.busy-ours)/there)
}

// hertz is the unit of times in /proc on every Linux that Go runs on (time(7)).
const hertz = 100

// machineBusy adds up all but idle times in the first line of /proc/stat, stolen
// time included (proc_stat(5)).
func machineBusy() float64 {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	var sum float64
	for i, field := range bytes.Fields(line) {
		// cpu user nice system idle iowait irq softirq steal guest guest_nice
		if i >= 1 && i <= 8 && i != 4 && i != 5 {
			sum += number64(field)
		}
	}
	return sum / hertz
}

// processCPU is what a process has used (proc_pid_stat(5)).
func processCPU(pid int) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	return (number64(fields[11]) + number64(fields[12])) / hertz
}

func number64(text []byte) float64 {
	n, _ := strconv.ParseFloat(string(text), 64)
	return n
}

// calmly measures when others leave the processors alone and repeats a measurement
// in which they did not, as long as there is patience left, and returns the calmest.
// What it is chosen by is what the others did, never how the contender fared.
func (b *bench) calmly(measure func() (turn, error)) (best turn, err error) {
	for first := true; ; first = false {
		b.awaitCalm()
		t, err := measure()
		if err != nil {
			return t, err
		}
		if first || t.Others < best.Others {
			best = t
		}
		if best.Others <= calm || time.Now().After(b.patient) {
			return best, nil
		}
	}
}

// awaitCalm waits, as long as there is patience left, for a quarter of a second in
// which others left the processors alone.
func (b *bench) awaitCalm() {
	for time.Now().Before(b.patient) {
		before := usageNow(0)
		time.Sleep(250 * time.Millisecond)
		if usageNow(0).othersSince(before) <= calm {
			return
		}
	}
}
