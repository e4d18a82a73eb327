//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine is what a number is worth nothing without.
type machine struct {
	Date       string `json:"date"`
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	FileSystem string `json:"file_system"`
}

func thisMachine() machine {
	return machine{
		Date:       time.Now().Format("2006-01-02"),
		Processor:  cpuModel(),
		Processors: runtime.NumCPU(),
		Kernel:     kernel(),
		Go:         runtime.Version(),
	}
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d x %s, Linux %s, %s, %s", m.Date, m.Processors, m.Processor, m.Kernel, m.Go, m.FileSystem)
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}
