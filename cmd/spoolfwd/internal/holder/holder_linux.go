package holder

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Of returns the processes that hold a lock on what is at path. None means that nobody holds it or
// that it is not known who does.
func Of(path string) []Process {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return nil
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return nil
	}
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	var all []Process
	for line := range strings.Lines(string(locks)) {
		// "1: FLOCK ADVISORY WRITE 4711 08:01:131 0 EOF"; one that waits for a lock has "->" first.
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[1] != "FLOCK" || fields[5] != file {
			continue
		}
		if pid, err := strconv.Atoi(fields[4]); err == nil && pid > 0 {
			all = append(all, process(pid))
		}
	}
	return all
}

// process describes a process as far as /proc tells.
func process(pid int) Process {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return Process{PID: pid, Command: strings.TrimSuffix(string(name), "\n"), Started: started(pid)}
}

// started returns when a process began. The kernel counts in hundredths of a second from the boot
// (proc_pid_stat(5), starttime, in USER_HZ).
func started(pid int) time.Time {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// The name is in parentheses and may hold anything. The 20th field after it is meant.
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	fields := strings.Fields(rest)
	var boot unix.Timespec
	if len(fields) < 20 || unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil {
		return time.Time{}
	}
	ticks, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(ticks)*10*time.Millisecond - time.Duration(boot.Nano()))
}
