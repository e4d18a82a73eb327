//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// runAndWatch runs a command to its end and returns the peak memory of the program at path, in
// bytes. It asks every ten milliseconds for the peak so far. The ru_maxrss of wait4 would not tell:
// it begins with that of the parent, since Go starts programs with CLONE_VM.
func runAndWatch(cmd *exec.Cmd, path string) (peak int64, err error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				err = fmt.Errorf("%s: %w\n%s", cmd.Args[0], err, stderr.Bytes())
			}
			return peak, err
		case <-ticker.C:
			peak = max(peak, peakMemory(cmd.Process.Pid, path))
		}
	}
}

// peakMemory reads VmHWM (proc_pid_status(5)) of a process that has become the program at path,
// otherwise 0.
func peakMemory(pid int, path string) int64 {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	if exe, err := os.Readlink(proc + "/exe"); err != nil || exe != path {
		return 0
	}
	text, _ := os.ReadFile(proc + "/status")
	_, rest, _ := bytes.Cut(text, []byte("VmHWM:"))
	var kib int64
	fmt.Sscan(string(rest), &kib)
	return kib << 10
}
