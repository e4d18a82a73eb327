package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestTheInstalledConfigurationIsReadWithoutBeingNamed(t *testing.T) {
	w := newWorld(t)
	w.env.ConfigFile = filepath.Join(t.TempDir(), "spoolfwd.toml")
	status := func(args ...string) string {
		t.Helper()
		r := w.run(append([]string{"status", "--json", "--spool", w.spool, "--state-dir", w.state}, args...)...)
		if r.code != exit.OK {
			t.Fatalf("status ended with %d: %s", r.code, r.stderr)
		}
		return r.stdout
	}
	if got := status(); strings.Contains(got, "from.the.file") {
		t.Errorf("without a file: %s", got)
	}
	write := func(path, host string) {
		if err := os.WriteFile(path, []byte(`url = "http://`+host+`/"`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(w.env.ConfigFile, "from.the.file")
	if got := status(); !strings.Contains(got, "from.the.file") {
		t.Errorf("with a file that is not named: %s", got)
	}
	other := filepath.Join(t.TempDir(), "other.toml")
	write(other, "from.another.file")
	if got := status("--config", other); !strings.Contains(got, "from.another.file") {
		t.Errorf("with another file that is named: %s", got)
	}
}
