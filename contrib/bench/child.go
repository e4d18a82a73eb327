//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// spoolfwd returns the built binary, set up to drain the spool.
func (b *bench) spoolfwd(url string, args ...string) *exec.Cmd {
	cmd := exec.Command(b.program("spoolfwd"), append([]string{"run", "--spool", b.spool, "--state-dir", b.state, "--url", url}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGTERM}
	return cmd
}

// lookEvery is how often a process is asked for its memory. The answer is the
// highest so far, so what is missed is only what is reached after the last look.
const lookEvery = 10 * time.Millisecond

// watched runs a command to its end and returns the most memory that the program at
// path had, in bytes. Of wait4's ru_maxrss nothing can be known here: it begins with what the
// parent had, since Go starts programs with CLONE_VM.
func watched(cmd *exec.Cmd, path string) (peak int64, err error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				err = fmt.Errorf("%s: %w\n%s", cmd.Args[0], err, said.Bytes())
			}
			return peak, err
		case <-look.C:
			peak = max(peak, peakMemory(cmd.Process.Pid, path))
		}
	}
}

// peakMemory reads VmHWM of a process that has become the program at path, else 0
// (proc_pid_status(5)).
func peakMemory(pid int, path string) int64 {
	proc := "/proc/" + strconv.Itoa(pid)
	if exe, err := os.Readlink(proc + "/exe"); err != nil || exe != path {
		return 0
	}
	text, err := os.ReadFile(proc + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}
