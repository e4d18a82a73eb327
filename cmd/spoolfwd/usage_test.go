package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// A wrong command line is one clear sentence on standard error with a hint where
// to read on, and never does anything.
func TestWrongCommandLinesAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		says string
		hint string
	}{
		{"no command", nil, "a command is missing", "spoolfwd --help"},
		{"unknown command", []string{"frobnicate"}, `unknown command "frobnicate"`, "spoolfwd --help"},
		{"misspelt command", []string{"stauts"}, `did you mean "status"?`, "spoolfwd --help"},
		{"no subcommand", []string{"breaker"}, "a command is missing: show, reset, trip", "spoolfwd breaker --help"},
		{"misspelt subcommand", []string{"rejected", "lsit"}, `did you mean "list"?`, "spoolfwd rejected --help"},
		{"unknown flag", []string{"run", "--frobnicate"}, "unknown flag --frobnicate", "spoolfwd run --help"},
		{"misspelt flag", []string{"run", "--tiemout", "3"}, "did you mean --timeout?", "spoolfwd run --help"},
		{"flag of another command", []string{"run", "--force"}, "spoolfwd run does not take --force", "spoolfwd run --help"},
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
		{"--timeout", "-1s", "is negative"},
		{"--timeout", "-1", "is negative"},
		{"--timeout", "0", "more than 0"},
		{"--timeout", "soon", "is no duration"},
		{"--timeout", "1e9", "is no duration"},
		{"--timeout", "99999999999d", "too long"},
		{"--max-file-size", "16MB", "is no size"},
		{"--max-file-size", "9999999TiB", "too large"},
		{"--max-file-size", "0", "more than 0"},
		{"--max-bytes", "-1KiB", "is negative"},
		{"--failure-threshold", "five", "is no whole number"},
		{"--failure-threshold", "0", "more than 0"},
		{"--failure-threshold", "-3", "is negative"},
		{"--concurrency", "5000", "not between 1 and 1024"},
		{"--retry-jitter", "101", "not between 0 and 100"},
		{"--retry-jitter", "NaN", "is no number"},
		{"--retry-timeout", "0", "more than 0"},
		{"--url", "ftp://host/", "must begin with http"},
		{"--url", "localhost:8080", "must begin with http"},
		{"--url", "http://", "names no host"},
		{"--url", "http://host:99999/", "not between 1 and 65535"},
		{"--url", "", "must begin with http"},
		{"--name", "../evil", "plain file name"},
		{"--name", "a/b", "plain file name"},
		{"--name", "", "must not be empty"},
		{"--pattern", "[", "is no glob pattern"},
		{"--pattern", "a/*.json", "slash"},
		{"--spool", "", "must not be empty"},
		{"--header", "no colon", "needs a colon"},
		{"--header", "Bad Name: x", "no HTTP header name"},
		{"--header", "X: a\r\nY: b", "control characters"},
		{"--on-status", "404", "CODE=ACTION"},
		{"--on-status", "404=drop", "CODE=ACTION"},
		{"--on-status", "999=keep", "CODE=ACTION"},
		{"--on-status", "100=keep", "CODE=ACTION"},
		{"--array-files", "join", "is none of split, whole"},
		{"--log-format", "xml", "is none of text, json"},
		{"--compress", "lzma", "is none of none, gzip, zstd"},
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

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(file, []byte("max-atempts = 3\nconcurrency = \"many\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.env.Environ = []string{"SPOOLFWD_FAILURE_THRESHOLD=none"}
	r := w.do("run", "extra", "--timeout", "-1", "--connect-timeout", "x", "--config", file).wantCode(t, exit.Config)
	wantText(t, "standard error", r.stderr,
		`unexpected argument "extra"`,
		`--timeout: "-1" is negative`,
		`--connect-timeout: "x" is no duration`,
		`SPOOLFWD_FAILURE_THRESHOLD: "none" is no whole number`,
		file+`: unknown key "max-atempts", did you mean "max-attempts"?`,
		file+`: concurrency: must be a whole number without quotes, not a string`,
	)
	if n := strings.Count(r.stderr, "see 'spoolfwd run --help'"); n != 1 {
		t.Errorf("the hint stands there %d times, want once:\n%s", n, r.stderr)
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

func TestFlagsFirst(t *testing.T) {
	c := newConfig()
	takes := func(name string) (setting, bool) { return c.takes(useAll, name) }
	for _, c := range []struct{ name, args, want string }{
		{"nothing", "", "--"},
		{"operand first", "a --url U b", "--url U -- a b"},
		{"equals sign", "a --url=U b", "--url=U -- a b"},
		{"switches take no value", "-v a --json b", "-v --json -- a b"},
		{"behind a double dash all are operands", "a -- --url U", "-- a --url U"},
		{"a dash is an operand", "- --json", "--json -- -"},
		{"negative numbers are values", "--max-items -5 a", "--max-items -5 -- a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := flagsFirst(strings.Fields(c.args), takes)
			if want := strings.Fields(c.want); err != nil || !slices.Equal(got, want) {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
}
