package producers_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// The system calls with which a producer changes the spool, and those with which a shell runs its
// commands. A question mark means: if the architecture has it.
var steps = []struct{ name, calls string }{
	{"write", "write,?pwrite64,?writev"},
	{"fsync", "fsync,fdatasync"},
	{"rename", "?rename,?renameat,?renameat2"},
	{"unlink", "?unlink,unlinkat"},
	{"process", "clone,?clone3,?fork,?vfork,wait4"},
}

func TestKilledProducerNeverShowsAPartialPayloadFile(t *testing.T) {
	strace := need.Program(t, "strace")
	want := normal()
	each(t, func(t *testing.T, p producer) {
		for _, step := range steps {
			t.Run("at each "+step.name, func(t *testing.T) {
				kills := 0
				for n := 1; ; n++ {
					if n > 500 {
						t.Fatal("after 500 kills the producer has still not ended")
					}
					dir := t.TempDir()
					log := filepath.Join(t.TempDir(), "log")
					// The answer does not matter: a killed producer cannot answer, and a shell may.
					_ = p.cmd(t, dir, "normal", inject(strace, log, step.calls, fmt.Sprintf("signal=SIGKILL:when=%d", n))...).Run()
					got := p.payloads(t, dir)
					if len(got) > 1 || len(got) == 1 && !bytes.Equal(got[0], want) {
						t.Fatalf("killed at %s number %d: the spool shows %d payload files, %.80q", step.name, n, len(got), got)
					}
					for _, e := range temporaries(t, dir) {
						if !strings.HasPrefix(e.Name(), p.temps) {
							t.Errorf("killed at %s number %d: %s is not a temporary name that a run knows", step.name, n, e.Name())
						}
					}
					if !killed(t, log) {
						if len(got) != 1 {
							t.Fatalf("the producer was not killed, and nothing was spooled\n%s", trace(t, log))
						}
						break
					}
					kills++
				}
				if kills == 0 && (step.name == "write" || step.name == "fsync" || step.name == "rename") {
					t.Errorf("the producer never calls %s", step.name)
				}
				t.Logf("killed %d times", kills)
			})
		}
	})
}

func TestAFailingDiskIsReportedAndLeavesNothingBehind(t *testing.T) {
	strace := need.Program(t, "strace")
	faults := []struct{ name, calls, fault string }{
		{"fsync", "fsync,fdatasync", "error=EIO:when=1"},
		{"rename", "?rename,?renameat,?renameat2", "error=EIO"},
		{"write", "write,?writev", "error=ENOSPC"},
	}
	each(t, func(t *testing.T, p producer) {
		for _, fault := range faults {
			t.Run(fault.name, func(t *testing.T) {
				if p.shell() && fault.name == "write" {
					return // there every pipe would break too; the full file system shows the same
				}
				dir := t.TempDir()
				log := filepath.Join(t.TempDir(), "log")
				if p.put(t, dir, "normal", inject(strace, log, fault.calls, fault.fault)...) {
					t.Errorf("the producer says that it spooled the value\n%s", trace(t, log))
				}
				isEmpty(t, dir)
			})
		}
	})
}

// inject is a command line, up to the program, that does something to each process in certain
// system calls.
func inject(strace, log, calls, what string) []string {
	return []string{strace, "-f", "-qq", "-o", log, "-e", "trace=" + calls, "-e", "inject=" + calls + ":" + what}
}

// killed reports whether the tracer's log says that a process got the injected signal.
func killed(t *testing.T, log string) bool {
	t.Helper()
	return bytes.Contains(trace(t, log), []byte("killed by SIGKILL"))
}

func trace(t *testing.T, log string) []byte {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil {
		out, _ := exec.Command("strace", "true").CombinedOutput()
		need.Installed(t, fmt.Sprintf("strace cannot trace here: %s", out))
	}
	return data
}
