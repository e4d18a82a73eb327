package spool_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
	"github.com/bitville-apm/spoolfwd/spool"
)

// Files in sysfs say that they have a page and then hold a few bytes, just as a file that a
// producer truncates between our fstat and our read.
func TestAFileThatShrinksWhileItIsReadIsLeftAlone(t *testing.T) {
	const dir, name = "/sys/kernel", "uevent_seqnum"
	if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() < 100 {
		need.Refused(t, "no sysfs with a file that is shorter than it says: %v", err)
	}
	s, _ := newSpool(t, spool.Config{Dir: dir, Pattern: name, Raw: true})
	_, err := s.Read(scan(t, s).Entries.At(0), noon, nil)
	var skip *spool.SkipError
	if !errors.As(err, &skip) || !skip.Pending || !strings.Contains(skip.Reason, "shrank") {
		t.Errorf("got %v", err)
	}
}

// File servers hold leases on files that their clients write. A non-blocking open does not wait for
// one to be given back (open(2), EAGAIN), and that is not a fault of this machine.
func TestAFileUnderALeaseIsLeftAlone(t *testing.T) {
	s, dir := newSpool(t, spool.Config{})
	write(t, dir, "x.json", "{}", 0)
	f, err := os.OpenFile(filepath.Join(dir, "x.json"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		need.Refused(t, "this file system gives no leases: %v", err)
	}
	_, err = s.Read(spool.Entry{Name: "x.json"}, noon, nil)
	var skip *spool.SkipError
	if !errors.As(err, &skip) || !skip.Pending {
		t.Errorf("got %v", err)
	}
}

// A million files make every system call count. Those that look for a writer are made for files
// only that were changed lately.
func TestReadAndRemoveCostSixSystemCallsAndOneMoreForAFreshFile(t *testing.T) {
	const inner = "SPOOL_TEST_TRACED"
	ages := map[string]time.Duration{"old": time.Hour, "fresh": time.Minute}
	if dir := os.Getenv(inner); dir != "" {
		s, _ := lockedSpool(t, spool.Config{Dir: dir})
		for name, age := range ages {
			p, err := s.Read(spool.Entry{Name: name + ".json", ModTime: noon.Add(-age).UnixNano()}, noon, make([]byte, 0, 64<<10))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Remove(p); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	dir := t.TempDir()
	for name, age := range ages {
		write(t, dir, name+".json", `"`+strings.Repeat("x", 20_000)+`"`, age)
	}
	trace := strace(t, inner+"="+dir, "-y")
	for name, want := range map[string][]string{
		"old":   {"openat", "fstat", "read", "close", "newfstatat", "unlinkat"},
		"fresh": {"openat", "fcntl", "fstat", "read", "close", "newfstatat", "unlinkat"},
	} {
		call := regexp.MustCompile(`^\d+ +(\w+)\(.*\b` + name + `\.json`)
		var got []string
		for line := range strings.Lines(trace) {
			if m := call.FindStringSubmatch(line); m != nil {
				got = append(got, m[1])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("system calls that touch the %s file: %v, want %v\n%s", name, got, want, trace)
		}
	}
}

// strace runs the calling test again in a traced process and returns the trace. The test is skipped
// where that is not possible.
func strace(t *testing.T, env string, args ...string) string {
	t.Helper()
	program := need.Program(t, "strace")
	out := filepath.Join(t.TempDir(), "trace")
	args = append([]string{"-f", "-qq", "-o", out}, args...)
	args = append(args, "/proc/self/exe")
	if exe, err := os.Executable(); err == nil {
		args[len(args)-1] = exe
	}
	cmd := exec.Command(program, append(args, "-test.run=^"+t.Name()+"$", "-test.v")...)
	cmd.Env = append(os.Environ(), env)
	text, err := cmd.CombinedOutput()
	if strings.Contains(string(text), "ptrace") {
		need.Installed(t, "tracing is not allowed here: "+string(text))
	}
	if err != nil || !strings.Contains(string(text), "--- PASS: "+t.Name()) {
		t.Fatalf("the traced process: %v\n%s", err, text)
	}
	trace, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(trace)
}
