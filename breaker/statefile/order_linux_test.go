package statefile

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// A child process of the tests below writes a state file.
const childVariable = "STATEFILE_TEST_PATH"

func writeAsChild(t *testing.T) bool {
	path := os.Getenv(childVariable)
	if path == "" {
		return false
	}
	write := File.Write
	if strings.Contains(t.Name(), "HardLinks") {
		write = File.Create
	}
	mustDo(t, "writing", write(File{Path: path, MaxSize: maxSize}, []byte("new")))
	return true
}

// traceOfWrite writes the file at path in another process, and returns that process's system calls.
func traceOfWrite(t *testing.T, path string, options ...string) string {
	t.Helper()
	strace := need.Program(t, "strace")
	trace := filepath.Join(t.TempDir(), "trace")
	arguments := append([]string{"-f", "-y", "-o", trace}, options...)
	cmd := exec.Command(strace, append(arguments, os.Args[0], "-test.run=^"+t.Name()+"$")...)
	cmd.Env = append(os.Environ(), childVariable+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	calls, err := os.ReadFile(trace)
	mustDo(t, "ReadFile", err)
	return string(calls)
}

// Nothing but the order of system calls tells a write that survives a power cut from one that does
// not.
func TestAWriteIsOnDiskBeforeItReturns(t *testing.T) {
	if writeAsChild(t) {
		return
	}
	parent := t.TempDir()
	calls := traceOfWrite(t, filepath.Join(parent, "made", "x.state"), "-e", "trace=fchmod,fsync,mkdir,mkdirat,rename,renameat,renameat2")
	dir := regexp.QuoteMeta(parent)
	temporary := `\d+<` + dir + `/made/x\.state\d+>`
	inOrder := `(?s)mkdir(at)?\([^\n]*"` + dir + `/made".*` +
		`fsync\(\d+<` + dir + `>\).*` +
		`fchmod\(` + temporary + `, 0644\).*` +
		`fsync\(` + temporary + `[ )].*` + // a space when the trace is interrupted
		`rename(at2?)?\([^\n]*` + dir + `/made/x\.state".*` +
		`fsync\(\d+<` + dir + `/made>\)`
	if !regexp.MustCompile(inOrder).MatchString(calls) {
		t.Errorf("want directory, its parent synced, mode, content synced, rename, directory synced; the calls were\n%s", calls)
	}
}

// The owner of the directory swaps the temporary for a link as soon as it appears. A writer that
// changes mode or owner by path then changes the file behind the link, for instance a program of
// root's that gets the setuid bit. strace holds each call that takes a path up for long enough that
// the attack cannot come too late.
func TestTheOwnerOfTheDirectoryCannotTurnAWriteOntoAnotherFile(t *testing.T) {
	if writeAsChild(t) {
		return
	}
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	mustDo(t, "WriteFile", os.WriteFile(victim, []byte("precious"), 0o600))
	state := filepath.Join(dir, "x.state")
	mustDo(t, "WriteFile", os.WriteFile(state, []byte("old"), 0o600))
	mustDo(t, "Chmod", os.Chmod(state, 0o666))

	done := make(chan struct{})
	swapped := make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-done:
				swapped <- n
				return
			default:
			}
			entries, _ := os.ReadDir(dir)
			for _, entry := range entries {
				if entry.Name() != "x.state" && entry.Type().IsRegular() && strings.HasPrefix(entry.Name(), "x.state") {
					link := filepath.Join(dir, "link")
					if os.Symlink(victim, link) == nil && os.Rename(link, filepath.Join(dir, entry.Name())) == nil {
						n++
					}
				}
			}
		}
	}()
	const byPath = "chmod,fchmodat,chown,lchown,fchownat,rename,renameat,renameat2"
	calls := traceOfWrite(t, state, "-e", "trace="+byPath, "-e", "inject="+byPath+":delay_enter=300000")
	close(done)
	if n := <-swapped; n == 0 {
		t.Fatal("the temporary was never swapped, which proves nothing")
	}
	if info, err := os.Stat(victim); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file behind the link has mode %v, %v, want -rw-------; the calls were\n%s", info.Mode(), err, calls)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("the file behind the link holds %q, %v", data, err)
	}
}

func TestCreateWorksWithoutHardLinks(t *testing.T) {
	if writeAsChild(t) {
		return
	}
	f := fileIn(t.TempDir())
	const byLink = "link,linkat"
	calls := traceOfWrite(t, f.Path, "-e", "trace="+byLink, "-e", "inject="+byLink+":error=EPERM")
	if !strings.Contains(calls, "INJECTED") {
		t.Fatalf("no hard link was refused, which proves nothing: %s", calls)
	}
	wantContent(t, f, "new")
	wantNames(t, filepath.Dir(f.Path), "x.state")
}
