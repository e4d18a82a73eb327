package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// A wrong command line is one clear sentence on standard error with a hint where to read on, and
// never does anything.
func TestWrongCommandLinesAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		says string
		hint string
	}{
		{"unknown command", []string{"frobnicate"}, `unknown command "frobnicate"`, "spoolfwd --help"},
		{"misspelt command", []string{"stauts"}, `did you mean "status"?`, "spoolfwd --help"},
		{"no subcommand", []string{"breaker"}, "a command is missing: show, reset, trip", "spoolfwd breaker --help"},
		{"misspelt subcommand", []string{"rejected", "lsit"}, `did you mean "list"?`, "spoolfwd rejected --help"},
		{"unknown flag", []string{"run", "--frobnicate"}, "unknown flag --frobnicate", "spoolfwd run --help"},
		{"misspelt flag", []string{"run", "--tiemout", "3"}, "did you mean --timeout?", "spoolfwd run --help"},
		{"flag of another command", []string{"run", "--force"}, "this command does not take --force", "--force is a flag of flush; see 'spoolfwd run --help'"},
		{"flag before the command", []string{"--url", "http://x/", "run"}, "--url goes behind the command", "spoolfwd --help"},
		{"missing value", []string{"run", "--url"}, "--url needs a value", "spoolfwd run --help"},
		{"flag as a value", []string{"run", "--spool", "--json"}, "--spool needs a value, and --json is a flag", "spoolfwd run --help"},
		{"run with an argument", []string{"run", "now"}, `unexpected argument "now"`, "spoolfwd run --help"},
		{"run with help as argument", []string{"run", "help"}, `unexpected argument "help"`, "spoolfwd run --help"},
		{"flush with an argument", []string{"flush", "x"}, `unexpected argument "x"`, "spoolfwd flush --help"},
		{"status with an argument", []string{"status", "x"}, `unexpected argument "x"`, "spoolfwd status --help"},
		{"check with an argument", []string{"check", "x"}, `unexpected argument "x"`, "spoolfwd check --help"},
		{"breaker show with an argument", []string{"breaker", "show", "x"}, `unexpected argument "x"`, "spoolfwd breaker show --help"},
		{"breaker reset with an argument", []string{"breaker", "reset", "x"}, `unexpected argument "x"`, "spoolfwd breaker reset --help"},
		{"breaker trip with an argument", []string{"breaker", "trip", "x"}, `unexpected argument "x"`, "spoolfwd breaker trip --help"},
		{"switch with a value behind it", []string{"status", "--json", "false"}, `unexpected argument "false"`, "spoolfwd status --help"},
		{"switch with nonsense", []string{"status", "--json=perhaps"}, `"perhaps" is neither true nor false`, "spoolfwd status --help"},
		{"hidden completion flag", []string{"run", "--generate-bash-completion"}, "unknown flag", "spoolfwd run --help"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			before := w.snapshot()
			r := w.run(c.args...).wantCode(t, exit.Usage)
			wantText(t, "standard error", r.stderr, c.says, c.hint)
			if r.stdout != "" {
				t.Errorf("standard output should be empty, is %q", r.stdout)
			}
			if lines := strings.Count(r.stderr, "\n"); lines != 2 {
				t.Errorf("standard error has %d lines, want a sentence and a hint:\n%s", lines, r.stderr)
			}
			if w.snapshot() != before {
				t.Error("a refused command line changed something on disk")
			}
		})
	}
}

// Values that no setting takes, each given as a flag: usage errors.
func TestWrongFlagValuesAreRefused(t *testing.T) {
	for _, c := range []struct{ flag, value, says string }{
		{"--timeout", "-1s", "must be more than 0"},
		{"--timeout", "-1", "must be more than 0"},
		{"--timeout", "0", "more than 0"},
		{"--timeout", "soon", "invalid duration"},
		{"--timeout", "1e9", "invalid duration"},
		{"--timeout", "99999999999d", "too long"},
		{"--max-file-size", "16MB", "invalid size"},
		{"--max-file-size", "9999999TiB", "too large"},
		{"--max-file-size", "0", "more than 0"},
		{"--max-bytes", "-1KiB", "must not be negative"},
		{"--failure-threshold", "five", "is not an integer"},
		{"--failure-threshold", "0", "more than 0"},
		{"--failure-threshold", "-3", "must be more than 0"},
		{"--concurrency", "5000", `must be between 1 and 1024, not "5000"`},
		{"--concurrency", "0", "must be between 1 and 1024"},
		{"--concurrency", "automatic", `"automatic" is neither an integer nor auto`},
		{"--max-concurrency", "0", "must be between 1 and 1024"},
		{"--retry-jitter", "101", "must be between 0 and 100"},
		{"--retry-jitter", "NaN", "is not a number"},
		{"--retry-timeout", "0", "more than 0"},
		{"--retry-timeout-max", "-1s", "must not be negative"},
		{"--url", "ftp://host/", "must begin with http"},
		{"--url", "localhost:8080", "must begin with http"},
		{"--url", "http://", "the host is missing"},
		{"--url", "http://host:99999/", "from 1 to 65535"},
		{"--url", "", "must begin with http"},
		{"--name", "../evil", "plain file name"},
		{"--name", "a/b", "plain file name"},
		{"--name", "", "must not be empty"},
		{"--pattern", "[", "syntax error in pattern"},
		{"--pattern", "a/*.json", "slash"},
		{"--spool", "", "must not be empty"},
		{"--header", "no colon", `not of the form "Name: value"`},
		{"--header", "Bad Name: x", `not of the form "Name: value"`},
		{"--header", "X: a\r\nY: b", "control character"},
		{"--on-status", "404", "CODE=ACTION"},
		{"--on-status", "404=drop", "not delivered, reject or keep"},
		{"--on-status", "999=keep", "200 to 599"},
		{"--on-status", "100=keep", "200 to 599"},
		{"--array-files", "join", "is not one of split, whole"},
		{"--log-format", "xml", "is not one of text, json"},
		{"--compress", "lzma", "is not one of none, gzip, zstd"},
	} {
		t.Run(c.flag+" "+c.value, func(t *testing.T) {
			w := newWorld(t)
			r := w.do("run", c.flag, c.value).wantCode(t, exit.Usage)
			wantText(t, "standard error", r.stderr, c.flag+": ", c.says, "see 'spoolfwd run --help'")
			if len(namesIn(t, w.state)) != 0 {
				t.Error("a refused run created state")
			}
		})
	}
}

// The command line library stops reading flags at the first operand.
func TestFlagsBehindOperandsAreFlags(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "p.json")
	if err := os.WriteFile(file, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run("put", file, "--spool", w.spool).wantCode(t, exit.OK)
	if n := len(w.left()); n != 1 {
		t.Errorf("the spool holds %d files, want 1", n)
	}
}
