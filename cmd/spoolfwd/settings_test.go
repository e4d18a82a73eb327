package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// The names that users' scripts hold on to.
func TestEveryPromisedFlagIsThere(t *testing.T) {
	w := newWorld(t)
	help := w.run("run", "--help").stdout
	for _, name := range []string{
		"spool", "pattern", "url", "name", "state-dir", "failure-threshold", "retry-timeout", "retry-jitter", "retry-timeout-max", "timeout",
		"connect-timeout", "concurrency", "max-concurrency", "token-file", "header", "max-attempts", "max-file-size", "max-runtime", "max-items",
		"json", "config", "ca-file", "cert-file", "key-file", "on-status", "array-files", "raw", "rejected-max-age",
		"rejected-max-bytes", "max-bytes", "max-retry-after", "log-format", "dry-run", "max-age", "max-spool-bytes", "max-spool-files", "content-type", "compress",
	} {
		wantText(t, "help", help, "--"+name+" ")
	}
	wantText(t, "help", help, "-v, --verbose")
}

func TestConfigurationFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.toml")
	if err := os.WriteFile(big, []byte(strings.Repeat("#", 2<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "absent.toml"), dir, big} {
		w := newWorld(t)
		r := w.do("run", "--config", path).wantCode(t, exit.Config)
		wantText(t, "standard error", r.stderr, path)
	}
}

// The breaker's files must not lie among payload files, by whatever way they got there.
func TestTheStateDirectoryIsNotTheSpool(t *testing.T) {
	w := newWorld(t)
	w.put("a.json", `{}`)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(w.spool, link); err != nil {
		t.Fatal(err)
	}
	before := w.snapshot()
	for _, dir := range []string{w.spool, w.spool + "/.", link, w.spool + "/rejected", link + "/rejected/"} {
		for _, command := range []string{"run", "flush", "status", "check", "rejected retry --all", "breaker trip"} {
			args := append(strings.Fields(command), "--state-dir", dir)
			w.env.Environ = []string{"SPOOLFWD_SPOOL=" + w.spool}
			r := w.run(args...).wantCode(t, exit.Config)
			wantText(t, "standard error", r.stderr, "--state-dir is also the spool")
		}
		w.env.Environ = nil
		w.run("run", "--state-dir", dir, "--spool", w.spool).wantCode(t, exit.Usage)
	}
	if w.snapshot() != before {
		t.Error("something was written")
	}
}
