// Package packaging_test compares the packaged configuration file with the program: the file has
// every key that the program takes, no other, and the right defaults.
package packaging_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var commands = [][]string{
	{"run"}, {"flush"}, {"status"}, {"put"}, {"rejected", "list"}, {"rejected", "show"}, {"rejected", "retry"}, {"rejected", "remove"},
	{"breaker", "show"}, {"breaker", "reset"}, {"breaker", "trip"}, {"check"},
}

func TestConfigurationFileHasEveryKey(t *testing.T) {
	program := build(t)
	want := make(map[string]bool)
	flag := regexp.MustCompile(`(?m)^\s+(?:-[a-z], )?--([a-z][a-z-]+)`)
	for _, command := range commands {
		help, _ := run(t, program, append(slices.Clone(command), "--help")...)
		for _, match := range flag.FindAllStringSubmatch(help, -1) {
			want[match[1]] = true
		}
	}
	for name := range want {
		// A key that no file may hold is refused with these words, whatever its value is.
		said, _ := run(t, program, "run", "--config", write(t, name+" = true\n"))
		if strings.Contains(said, "only be given on the command line") {
			delete(want, name)
		}
	}
	got := make(map[string]bool)
	for _, line := range keys(t) {
		got[strings.Fields(line)[0]] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("spoolfwd.toml has the keys\n%v\nand the program takes\n%v", sorted(got), sorted(want))
	}
}

func TestConfigurationFileShowsTheDefaults(t *testing.T) {
	program := build(t)
	all := write(t, strings.Join(keys(t), "\n")+"\n")
	for _, command := range commands {
		said, code := run(t, program, append(slices.Clone(command), "--config", all, "--spool", t.TempDir(), "--state-dir", t.TempDir())...)
		if code == 78 {
			t.Errorf("%v does not take the defaults that spoolfwd.toml shows:\n%s", command, said)
		}
	}
	builtIn := settings(t, program, write(t, ""))
	for name, value := range settings(t, program, all) {
		if name != "config" && value != builtIn[name] {
			t.Errorf("spoolfwd.toml shows %s = %s, the default is %s", name, value, builtIn[name])
		}
	}
}

func TestConfigurationFileAsInstalledSetsNothing(t *testing.T) {
	program := build(t)
	if got, want := settings(t, program, "spoolfwd.toml"), settings(t, program, write(t, "")); !maps.Equal(without(got, "config"), without(want, "config")) {
		t.Errorf("with spoolfwd.toml the settings are %v, without it %v", got, want)
	}
}

// keys returns the commented assignments of spoolfwd.toml without the comment sign. A sentence has
// a space after the sign.
func keys(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("spoolfwd.toml")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, isKey := strings.CutPrefix(line, "#")
		if isKey && key != "" && key[0] >= 'a' && key[0] <= 'z' {
			all = append(all, key)
		}
	}
	return all
}

// settings returns the settings in force by name, as `check` prints them.
func settings(t *testing.T, program, config string) map[string]string {
	t.Helper()
	// The default listener may not exist; check prints the settings nevertheless.
	cmd := exec.Command(program, "check", "--json", "--config", config)
	cmd.Env = clean()
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var answer struct {
		Settings []struct {
			Name  string
			Value any
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("check --json: %v\n%.500s", err, out)
	}
	values := make(map[string]string)
	for _, s := range answer.Settings {
		if list, ok := s.Value.([]any); ok && len(list) == 0 {
			s.Value = "" // an empty list is as good as none
		}
		values[s.Name] = fmt.Sprint(s.Value)
	}
	if len(values) == 0 {
		t.Fatalf("check --json names no settings:\n%s", out)
	}
	return values
}

func run(t *testing.T, program string, args ...string) (said string, code int) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = clean()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// clean is the environment without settings of the program.
func clean() []string {
	return slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "SPOOLFWD_") })
}

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spoolfwd")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/bitville-apm/spoolfwd/cmd/spoolfwd").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spoolfwd.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func without(m map[string]string, name string) map[string]string {
	m = maps.Clone(m)
	delete(m, name)
	return m
}

func sorted(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
