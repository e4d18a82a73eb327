// Package release_test builds a release twice, in two places, and examines the results: the same
// bytes, a static binary that knows its version and commit, a bill of materials, and signed
// checksums. It also lets this version and the one before take turns on one host.
//
// It needs git and the history of a checkout.
package release_test

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/contrib/ci/need"
)

func TestAReleaseIsReproducibleAndItsArchivesRun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("releases are built on Linux: build.sh needs GNU tar")
	}
	head, err := exec.Command("git", "rev-parse", "HEAD").CombinedOutput()
	if err != nil {
		need.Installed(t, "this is not a git checkout: "+string(head))
	}
	commit := strings.TrimSpace(string(head))
	key := newKey(t)
	first := build(t, "first", commit, "SIGN_KEY="+key)
	archive := only(t, first, "*.tar.gz")
	binary := unpack(t, archive)

	t.Run("is the same bytes in every place", func(t *testing.T) {
		second := build(t, "a second directory", commit)
		for _, pattern := range []string{"*.tar.gz", "*.cdx.json", "*.sha256"} {
			one, other := only(t, first, pattern), only(t, second, pattern)
			if filepath.Base(one) != filepath.Base(other) || !bytes.Equal(read(t, one), read(t, other)) {
				t.Errorf("%s and %s differ", one, other)
			}
		}
		if signed, _ := filepath.Glob(filepath.Join(second, "*.sig")); len(signed) > 0 {
			t.Errorf("without a key there is %q", signed)
		}
	})
	t.Run("names its modules in a bill of materials", func(t *testing.T) { wantBill(t, only(t, first, "*.cdx.json"), filepath.Dir(binary)) })
	t.Run("is verified as contrib/doc/releases.md says", func(t *testing.T) {
		sums := only(t, first, "*.sha256")
		publish(t, first, key)
		if out, err := verify(t, sums); err != nil || !strings.Contains(out, filepath.Base(archive)+": OK") {
			t.Errorf("%v\n%s", err, out)
		}
		publish(t, first, newKey(t))
		if out, err := verify(t, sums); err == nil {
			t.Errorf("a signature by another key was accepted:\n%s", out)
		}
		publish(t, first, key)
		text := read(t, sums)
		write(t, sums, "0"+string(text))
		if out, err := verify(t, sums); err == nil {
			t.Errorf("changed checksums were accepted:\n%s", out)
		}
		write(t, sums, string(text))
		write(t, archive, "another archive")
		if out, err := verify(t, sums); err == nil {
			t.Errorf("another archive was accepted:\n%s", out)
		}
	})
	t.Run("is static and knows its commit", func(t *testing.T) {
		wantStatic(t, binary)
		wantCommit(t, binary, commit)
	})
	t.Run("tells its version", func(t *testing.T) {
		out, err := exec.Command(binary, "--version").CombinedOutput()
		version, found := strings.CutPrefix(strings.TrimSpace(string(out)), "spoolfwd ")
		version, _, _ = strings.Cut(version, " ")
		if err != nil || !found || !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(version) {
			t.Fatalf("--version says %q, %v", out, err)
		}
		if want := "spoolfwd-" + version + "-linux-" + runtime.GOARCH + ".tar.gz"; filepath.Base(archive) != want {
			t.Errorf("the archive is %s, want %s", filepath.Base(archive), want)
		}
	})
	t.Run("holds what an administrator wants to have", func(t *testing.T) {
		for _, name := range []string{
			"spoolfwd-nats", "fakelistener", "LICENSE", "README.md", "CHANGELOG.md", "man/spoolfwd.8", "completions/spoolfwd.bash",
			"contrib/systemd/spoolfwd@.timer", "contrib/cron/cron-run", "contrib/producers/README.md", "contrib/producers/spool_put.php",
			"contrib/prometheus/alerts.yml", "contrib/grafana/spoolfwd.json", "contrib/haproxy/haproxy.cfg", "contrib/victoriametrics/spoolfwd.toml",
			"contrib/nats/stream.json", "contrib/nats/consumer/main.go", "contrib/webdav/nginx.conf",
		} {
			if _, err := os.Stat(filepath.Join(filepath.Dir(binary), name)); err != nil {
				t.Error(err)
			}
		}
	})
}

// build builds for this platform alone, with settings in the environment that must not matter, and
// returns the directory.
func build(t *testing.T, name, commit string, settings ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	cmd := exec.CommandContext(t.Context(), "./build.sh", dir)
	cmd.Env = append(os.Environ(), "COMMIT="+commit, "PLATFORMS=linux/"+runtime.GOARCH, "GOFLAGS=-buildvcs=false", "TZ=Asia/Tokyo", "CGO_ENABLED=1")
	cmd.Env = append(cmd.Env, settings...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build.sh: %v\n%s", err, out)
	}
	return dir
}

func only(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s holds %q, want one %s", dir, found, pattern)
	}
	return found[0]
}

// unpack returns the path of the binary in the archive.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-C", dir, "-xzf", archive).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	return only(t, dir, "*/spoolfwd")
}

func wantStatic(t *testing.T, binary string) {
	t.Helper()
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s is linked dynamically", binary)
		}
	}
}

func wantCommit(t *testing.T, binary, commit string) {
	t.Helper()
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["vcs.revision"] != commit || settings["vcs.modified"] != "false" {
		t.Errorf("the binary is of commit %q, modified %q; want %s", settings["vcs.revision"], settings["vcs.modified"], commit)
	}
	if settings["-trimpath"] != "true" || settings["CGO_ENABLED"] != "0" {
		t.Errorf("it was built with %v", settings)
	}
	if bytes.Contains(read(t, binary), []byte(os.TempDir()+"/tmp.")) {
		t.Error("the path of the build directory is in the binary")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
