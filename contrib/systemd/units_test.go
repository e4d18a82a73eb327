// Package systemd_test checks the unit files with systemd's own tools: no warnings, an exposure
// level of 1.5 or less, exit codes with the right names, and templates that are the same as the
// plain units.
//
// It needs systemd-analyze, systemd-tmpfiles and systemd-sysusers.
package systemd_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func TestSystemdHasNoWarningsAboutTheUnits(t *testing.T) {
	dir := installed(t)
	for _, path := range units(t) {
		// A template is verified as one of its instances.
		name := strings.Replace(filepath.Base(path), "@.", "@central.", 1)
		t.Run(name, func(t *testing.T) {
			// The manual pages are not installed here; whether they exist is for the package's own
			// tests.
			out := output(t, need.Program(t, "systemd-analyze"), "verify", "--man=no", filepath.Join(dir, name))
			if out != "" {
				t.Errorf("systemd-analyze verify warns (and exits 0 nevertheless):\n%s", out)
			}
		})
	}
}

func TestServicesAreExposedNoMoreThanPromised(t *testing.T) {
	for _, name := range []string{"spoolfwd.service", "spoolfwd@.service"} {
		t.Run(name, func(t *testing.T) {
			// The threshold is in tenths; above it the exit status is 1.
			out := output(t, need.Program(t, "systemd-analyze"), "security", "--offline=true", "--no-pager", "--threshold=15", "./"+name)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			t.Log(lines[len(lines)-1])
		})
	}
}

func TestTheDropInForAUserOfItsOwnLeavesTheUnitsAsHardAsTheyWere(t *testing.T) {
	own, err := os.ReadFile("own-user.conf")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"spoolfwd.service", "spoolfwd@central.service"} {
		path := filepath.Join(installed(t), name)
		dropIn := filepath.Join(path+".d", "own-user.conf")
		if err := os.Mkdir(filepath.Dir(dropIn), 0o755); err != nil {
			t.Fatal(err)
		}
		verdict := func(content string) string {
			t.Helper()
			if err := os.WriteFile(dropIn, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			if out := output(t, need.Program(t, "systemd-analyze"), "verify", "--man=no", path); out != "" {
				t.Errorf("systemd-analyze verify warns:\n%s", out)
			}
			lines := strings.Split(strings.TrimSpace(output(t, "systemd-analyze", "security", "--offline=true", "--no-pager", path)), "\n")
			return lines[len(lines)-1]
		}
		before, after := verdict("[Service]\n"), verdict(string(own))
		if after != before {
			t.Errorf("before it is %q, and with the drop-in %q", before, after)
		}
		if worse := verdict("[Service]\nUser=root\n"); worse == before {
			t.Errorf("systemd-analyze does not read the drop-in: with root it is %q too", worse)
		}
	}
}

func TestTemporaryExitCodesAreNotFailuresOfTheUnits(t *testing.T) {
	want := map[string]string{"UNAVAILABLE": "69", "TEMPFAIL": "75"}
	for _, name := range []string{"spoolfwd.service", "spoolfwd@.service"} {
		words := strings.Fields(directives(t, name)["SuccessExitStatus"])
		if all := []string{"143", "TEMPFAIL", "UNAVAILABLE"}; !slices.Equal(slices.Sorted(slices.Values(words)), all) {
			t.Errorf("%s: SuccessExitStatus=%q, want %q", name, words, all)
		}
		for _, word := range words {
			if word == "143" {
				continue // 128 + SIGTERM, for which there is no name
			}
			out := strings.Fields(output(t, need.Program(t, "systemd-analyze"), "exit-status", word))
			// NAME STATUS CLASS, then the line asked for.
			if len(out) < 5 || out[4] != want[word] {
				t.Errorf("%s: SuccessExitStatus=%s is %q, want %s", name, word, out, want[word])
			}
		}
	}
}

func TestTemplatesAreTheSameAsThePlainUnits(t *testing.T) {
	// The only differences: the instance in descriptions, its configuration and its token.
	plain := strings.NewReplacer(
		" %i", "",
		"/etc/spoolfwd/%i.toml", "/etc/spoolfwd/spoolfwd.toml",
		"spoolfwd.token:spoolfwd.%i.token", "spoolfwd.token",
	)
	for _, kind := range []string{"service", "timer"} {
		want := lines(t, "spoolfwd."+kind)
		got := plain.Replace(lines(t, "spoolfwd@."+kind))
		if got != want {
			t.Errorf("spoolfwd@.%s differs from spoolfwd.%s in more than the instance:\n%s\nwant:\n%s", kind, kind, got, want)
		}
	}
}

func TestTmpfilesLeaveAnExistingSpoolAlone(t *testing.T) {
	need.Root(t, "run systemd-tmpfiles --root")
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs("sysusers.conf")
	if err != nil {
		t.Fatal(err)
	}
	if out := output(t, need.Program(t, "systemd-sysusers"), "--root="+root, config); !strings.Contains(out, "www-data") {
		t.Errorf("systemd-sysusers on an empty system says %q and does not mention www-data", out)
	}
	config, err = filepath.Abs("tmpfiles.conf")
	if err != nil {
		t.Fatal(err)
	}
	spool := filepath.Join(root, "var/lib/bitville-apm/buffer")
	create := func(want fs.FileMode) {
		t.Helper()
		if out := output(t, need.Program(t, "systemd-tmpfiles"), "--root="+root, "--create", config); out != "" {
			t.Errorf("systemd-tmpfiles says %q", out)
		}
		info, err := os.Stat(spool)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("the spool has mode %o, want %o", got, want)
		}
	}
	create(0o750)
	if err := os.Chmod(spool, 0o2770); err != nil {
		t.Fatal(err)
	}
	create(0o770)
}

// units lists the unit files of this directory.
func units(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, kind := range []string{"service", "timer", "path"} {
		found, err := filepath.Glob("*." + kind)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		t.Fatal("no unit files here")
	}
	return all
}

// installed copies the units into a directory of their own, templates under the name of an
// instance, with a program that exists in spoolfwd's place.
func installed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range units(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "/usr/bin/spoolfwd", "/bin/true"))
		name := strings.Replace(path, "@.", "@central.", 1)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lines returns a unit file without its comments and empty lines.
func lines(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// directives returns the last value of every key of a unit file.
func directives(t *testing.T, name string) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for line := range strings.Lines(lines(t, name)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[key] = value
		}
	}
	return values
}

// output runs a program and returns all it prints; the test fails when the program does.
func output(t *testing.T, command string, args ...string) string {
	t.Helper()
	cmd := exec.Command(command, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0", "SYSTEMD_LOG_COLOR=0")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Errorf("%v: %v", cmd, err)
	case err != nil:
		t.Fatal(err)
	}
	return string(out)
}
