package producers_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

// A producer is one function under test, called by a small program in testdata: PROGRAM DIR CASE.
type producer struct {
	name    string
	command string
	args    []string
	refuses []string // the cases that are not payloads
	files   *regexp.Regexp
	temps   string // begins the names of temporary files
}

var (
	profile    = regexp.MustCompile(`^profile_\d{8}_\d{6}_[0-9a-f]{8}\.json$`)
	profileNew = regexp.MustCompile(`^profile_\d{8}T\d{6}\.\d{9}Z_[0-9a-f]{8}\.json$`)
)

var all = []producer{
	{"PHP", "php", []string{"-d", "memory_limit=128M", "put.php"}, []string{"empty", "huge", "scalar", "loop", "throws"}, profile, "profiling_"},
	{"Python", "python3", []string{"put.py"}, []string{"empty", "huge", "scalar", "loop", "throws"}, profile, "profiling_"},
	{"dash", "dash", []string{"put.sh"}, []string{"empty", "huge"}, profile, "profiling_"},
	{"bash", "bash", []string{"--posix", "put.sh"}, []string{"empty", "huge"}, profile, "profiling_"},
	{"Go", "go", nil, []string{"huge", "loop", "nan"}, profileNew, ".spoolput-"},
}

// normal is the value of the case of that name: larger than any pipe or stdio buffer.
func normal() []byte {
	return []byte(`{"n":1,"pad":"` + strings.Repeat("x", 70000) + `"}`)
}

// shellInput is what the shell spools in each case: bytes, where the other producers encode a
// value.
func shellInput(name string) []byte {
	switch name {
	case "small":
		return []byte(`{"n":1}`)
	case "normal":
		return normal()
	case "batch":
		return []byte(`[{"n":1},{"n":2}]`)
	case "bytes":
		return []byte("{\"s\":\"a\xff\xfeb\"}")
	case "huge":
		return bytes.Repeat([]byte("x"), 48<<20)
	}
	return nil
}

func (p producer) shell() bool { return strings.HasSuffix(p.command, "sh") }

// each runs a test for every producer whose interpreter is installed.
func each(t *testing.T, test func(*testing.T, producer)) {
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			path := need.Program(t, p.command)
			if p.command == "python3" {
				// pyenv and similar tools put a shell script into the PATH, which a tracer would
				// follow instead.
				out, err := exec.Command(path, "-c", "import sys; print(sys.executable)").Output()
				if err != nil {
					t.Fatal(err)
				}
				path = strings.TrimSpace(string(out))
			}
			if p.command == "go" {
				program := filepath.Join(t.TempDir(), "put")
				if out, err := exec.Command(path, "build", "-o", program, "./testdata/put").CombinedOutput(); err != nil {
					t.Fatalf("go build: %v\n%s", err, out)
				}
				path = program
			}
			p.command = path
			test(t, p)
		})
	}
}

// cmd is the producer's program. Prefix runs it under another, such as a tracer.
func (p producer) cmd(t *testing.T, dir, name string, prefix ...string) *exec.Cmd {
	t.Helper()
	args := append(append(append([]string{}, prefix...), p.command), p.args...)
	cmd := exec.Command(args[0], append(args[1:], dir, name)...)
	cmd.Dir = "testdata"
	// A producer that falls back to the temporary directory is found there.
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	if p.shell() {
		// From a file: a pipe would need a second process, which could be killed and truncate its
		// output.
		input := filepath.Join(t.TempDir(), "input")
		if err := os.WriteFile(input, shellInput(name), 0o600); err != nil {
			t.Fatal(err)
		}
		stdin, err := os.Open(input)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stdin.Close() })
		cmd.Stdin = stdin
	}
	return cmd
}

// put spools the value of a case and reports what the producer answered. It must print nothing and
// leave nothing in TMPDIR.
func (p producer) put(t *testing.T, dir, name string, prefix ...string) bool {
	t.Helper()
	cmd := p.cmd(t, dir, name, prefix...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	if len(out) > 0 {
		t.Errorf("a producer must print nothing, and this one prints %q", out)
	}
	isEmpty(t, strings.TrimPrefix(cmd.Env[len(cmd.Env)-1], "TMPDIR="))
	return err == nil
}

// payloads reads what a run would take. The names and modes are those of the known producers, and
// in a directory with the set-group-ID bit the group may read.
func (p producer) payloads(t *testing.T, dir string) [][]byte {
	t.Helper()
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(dir); err == nil && info.Mode()&fs.ModeSetgid != 0 {
		mode = 0o640
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, path := range names {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if !p.files.MatchString(info.Name()) || info.Mode() != mode {
			t.Errorf("%s has mode %v; want a regular file of mode %v with a name like %s", info.Name(), info.Mode(), mode, p.files)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// temporaries lists everything in the spool that is not a payload file.
func temporaries(t *testing.T, dir string) []fs.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var others []fs.DirEntry
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			others = append(others, e)
		}
	}
	return others
}

func nothingElse(t *testing.T, dir string) {
	t.Helper()
	if others := temporaries(t, dir); len(others) > 0 {
		t.Errorf("beside the payload files there is %v", others)
	}
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Errorf("%s should be empty and holds %v", dir, entries)
	}
}
