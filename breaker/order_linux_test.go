package breaker

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestASaveIsOnDiskBeforeItReturns looks at the system calls of a first save in another process: nothing else tells a save
// that survives a power cut from one that does not.
func TestASaveIsOnDiskBeforeItReturns(t *testing.T) {
	const variable = "BREAKER_TEST_STATE_DIR"
	if dir := os.Getenv(variable); dir != "" {
		failTimes(t, open(t, Config{StateDir: dir}, start), 1, start)
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skipf("strace is needed to see the order of system calls: %v", err)
	}
	parent := t.TempDir()
	trace := filepath.Join(parent, "trace")
	cmd := exec.Command(strace, "-f", "-y", "-o", trace, "-e", "trace=fsync,mkdir,mkdirat,rename,renameat,renameat2",
		os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), variable+"="+filepath.Join(parent, "state"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines, err := os.ReadFile(trace)
	mustDo(t, "ReadFile", err)

	dir := regexp.QuoteMeta(parent)
	inOrder := `(?s)mkdir(at)?\([^\n]*"` + dir + `/state".*` +
		`fsync\(\d+<` + dir + `>\).*` +
		`fsync\(\d+<` + dir + `/state/central_listener\.state\d+>\).*` +
		`rename(at2?)?\([^\n]*` + dir + `/state/central_listener\.state".*` +
		`fsync\(\d+<` + dir + `/state>\)`
	if !regexp.MustCompile(inOrder).Match(lines) {
		t.Errorf("want directory, its parent synced, content synced, rename, directory synced; the calls were\n%s", lines)
	}
}
