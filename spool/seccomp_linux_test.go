package spool_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// refusal is a system call and the error that a file system without it answers with.
type refusal struct {
	call  uint32
	errno unix.Errno
}

// refusing runs part in a process of its own in which the kernel refuses some system calls, as some
// network file systems do (seccomp(2)).
func refusing(t *testing.T, refusals []refusal, part func(t *testing.T)) {
	t.Helper()
	const inside = "SPOOL_TEST_REFUSING"
	if os.Getenv(inside) == t.Name() {
		refuse(t, refusals)
		part(t)
		return
	}
	pattern := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.Command("/proc/self/exe", "-test.run="+pattern, "-test.v")
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "--- SKIP: "+t.Name()) {
		need.Installed(t, "the kernel, or what confines this process, has no seccomp(2)")
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("while system calls were refused: %v\n%s", err, out)
	}
}

// refuse installs the filter for all threads of this process, until it ends.
func refuse(t *testing.T, refusals []refusal) {
	t.Helper()
	const (
		loadNumber = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		ifEqual    = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		answer     = unix.BPF_RET | unix.BPF_K

		setModeFilter, allThreads = 1, 1 // of linux/seccomp.h
		allow, answerErrno        = 0x7fff0000, 0x00050000
	)
	filter := []unix.SockFilter{{Code: loadNumber}}
	for _, r := range refusals {
		filter = append(filter,
			unix.SockFilter{Code: ifEqual, Jf: 1, K: r.call},
			unix.SockFilter{Code: answer, K: answerErrno | uint32(r.errno)})
	}
	filter = append(filter, unix.SockFilter{Code: answer, K: allow})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread() // the first call must be made by the thread that makes the second one
	defer runtime.UnlockOSThread()
	err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	if err == nil {
		_, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, allThreads, uintptr(unsafe.Pointer(&program)))
		if errno != 0 {
			err = errno
		}
	}
	if err != nil {
		need.Refused(t, "system calls cannot be refused here: %v", err)
	}
}

var (
	noRenameNew = refusal{unix.SYS_RENAMEAT2, unix.EINVAL}
	noLinks     = refusal{unix.SYS_LINKAT, unix.EPERM}
	noTimes     = refusal{unix.SYS_UTIMENSAT, unix.EPERM}
	noModes     = refusal{unix.SYS_FCHMOD, unix.EPERM}
	noOwners    = refusal{unix.SYS_FCHOWN, unix.EPERM}
)
