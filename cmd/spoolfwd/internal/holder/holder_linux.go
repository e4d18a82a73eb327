package holder

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Of returns the processes that hold a lock on what is at path. It is not known who does where the
// system does not tell, as in a hardened unit (ProcSubset=pid).
func Of(path string) (all []Process, known bool) {
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return nil, false
	}
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return nil, true
	}
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
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
	return all, true
}

// process describes a process as far as /proc tells.
func process(pid int) Process {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return Process{PID: pid, Command: strings.TrimSuffix(string(name), "\n")}
}
