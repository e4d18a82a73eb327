package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestTheTableOfSettingsIsSound(t *testing.T) {
	c := newConfig()
	names, fields := map[string]bool{}, map[any]bool{}
	for _, s := range c.table {
		if names[s.name] {
			t.Errorf("%s is declared twice", s.name)
		}
		if fields[s.dst] {
			t.Errorf("the field of %s belongs to another setting as well", s.name)
		}
		names[s.name], fields[s.dst] = true, true
		if s.usage == "" || s.on == 0 {
			t.Errorf("%s has no usage text or no command", s.name)
		}
		if s.isSwitch() != (s.arg == "") {
			t.Errorf("%s: switches and only they have no name for their value", s.name)
		}
		if s.def != "" {
			if err := s.parse([]string{s.def}); err != nil {
				t.Errorf("the default of %s is refused: %v", s.name, err)
			}
		}
	}
	if n := reflect.TypeFor[values]().NumField(); n != len(c.table) {
		t.Errorf("there are %d values and %d settings", n, len(c.table))
	}
}

// The names that users' scripts hold on to.
func TestEveryPromisedFlagIsThere(t *testing.T) {
	w := newWorld(t)
	help := w.run("run", "--help").stdout
	for _, name := range []string{
		"spool", "pattern", "url", "name", "state-dir", "failure-threshold", "retry-timeout", "retry-jitter", "timeout",
		"connect-timeout", "concurrency", "token-file", "header", "max-attempts", "max-file-size", "max-runtime", "max-items",
		"json", "config", "ca-file", "cert-file", "key-file", "on-status", "array-files", "raw", "rejected-max-age",
		"rejected-max-bytes", "max-bytes", "max-retry-after", "log-format", "dry-run", "content-type", "compress",
	} {
		wantText(t, "help", help, "--"+name+" ")
	}
	wantText(t, "help", help, "-v, --verbose")
}

// resolved returns what settings come to.
func resolved(t *testing.T, flags map[string][]string, environ []string, toml string) (*config, error) {
	t.Helper()
	given := map[string][]string{}
	for k, v := range flags {
		given[k] = v
	}
	if toml != "" {
		path := filepath.Join(t.TempDir(), "spoolfwd.toml")
		if err := os.WriteFile(path, []byte(toml), 0o600); err != nil {
			t.Fatal(err)
		}
		given["config"] = []string{path}
	}
	c := newConfig()
	return c, c.resolve(given, Env{Environ: environ})
}

func TestFlagBeforeEnvironmentBeforeFileBeforeDefault(t *testing.T) {
	const file = "url = \"http://file/\"\ntimeout = \"3s\"\nconcurrency = 3\nheader = [\"A: 1, 2\", \"B: 3\"]\n"
	environ := []string{"SPOOLFWD_URL=http://environment/", "SPOOLFWD_TIMEOUT=2", "SPOOLFWD_HEADER=C: 4, 5\nD: 6\n"}
	flag := map[string][]string{"url": {"http://flag/"}, "header": {"E: 7, 8"}}
	for _, c := range []struct {
		name    string
		flags   map[string][]string
		environ []string
		file    string
		url     string
		timeout time.Duration
		headers []string
		from    string
	}{
		{"nothing", nil, nil, "", "http://localhost:8080/api/profiling", 5 * time.Second, nil, "default"},
		{"file", nil, nil, file, "http://file/", 3 * time.Second, []string{"A: 1, 2", "B: 3"}, "spoolfwd.toml"},
		{"environment", nil, environ, file, "http://environment/", 2 * time.Second, []string{"C: 4, 5", "D: 6"}, "SPOOLFWD_URL"},
		{"flag", flag, environ, file, "http://flag/", 2 * time.Second, []string{"E: 7, 8"}, "--url"},
		{"the last of equal variables", nil, []string{"SPOOLFWD_URL=http://first/", "SPOOLFWD_TIMEOUT=9", "SPOOLFWD_URL=http://last/", "SPOOLFWD_TIMEOUT="}, file, "http://last/", 3 * time.Second, []string{"A: 1, 2", "B: 3"}, "SPOOLFWD_URL"},
		{"blank list in the environment", nil, []string{"SPOOLFWD_HEADER= \n"}, file, "http://file/", 3 * time.Second, []string{"A: 1, 2", "B: 3"}, "spoolfwd.toml"},
		{"blank environment", nil, []string{"SPOOLFWD_URL="}, file, "http://file/", 3 * time.Second, []string{"A: 1, 2", "B: 3"}, "spoolfwd.toml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := resolved(t, c.flags, c.environ, c.file)
			if err != nil {
				t.Fatal(err)
			}
			if got.URL != c.url || got.Timeout != c.timeout || !slices.Equal(got.Headers, c.headers) {
				t.Errorf("got %s, %s, %q, want %s, %s, %q", got.URL, got.Timeout, got.Headers, c.url, c.timeout, c.headers)
			}
			if from := got.from["url"].where; !strings.HasSuffix(from, c.from) {
				t.Errorf("the URL is said to come from %q, want %q", from, c.from)
			}
		})
	}
}

func TestTheConfigurationFileMayBeNamedByTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(path, []byte("name = \"other\""), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := resolved(t, nil, []string{"SPOOLFWD_CONFIG=" + path}, "")
	if err != nil || c.Name != "other" {
		t.Errorf("got name %q, %v, want other", c.Name, err)
	}
}

func TestEveryKindOfTOMLValue(t *testing.T) {
	c, err := resolved(t, nil, nil, `
timeout = 7
connect-timeout = 1.5
retry-timeout = "2m"
max-file-size = "1MiB"
max-bytes = 1024
retry-jitter = 2.5
raw = true
on-status = ["404=reject"]
header = "X: y"
`)
	if err != nil {
		t.Fatal(err)
	}
	if c.Timeout != 7*time.Second || c.ConnectTimeout != 1500*time.Millisecond || c.RetryTimeout != 2*time.Minute ||
		c.MaxFileSize != 1<<20 || c.MaxBytes != 1024 || c.RetryJitter != 2.5 || !c.Raw ||
		!slices.Equal(c.OnStatus, []string{"404=reject"}) || !slices.Equal(c.Headers, []string{"X: y"}) {
		t.Errorf("got %+v", c.values)
	}
}

func TestWrongConfigurationFiles(t *testing.T) {
	for _, c := range []struct{ name, toml, says string }{
		{"no TOML", "url =", "line 1"},
		{"key twice", "raw = true\nraw = true", "line 2"},
		{"unknown key", "frobnicate = 1", `unknown key "frobnicate"`},
		{"underscores", "state_dir = \"/x\"", `did you mean "state-dir"?`},
		{"table", "[run]\nurl = \"http://x/\"", `unknown key "run"`},
		{"table for a value", "[url]\nx = 1", "must be a string in quotes, not a table"},
		{"flag only", "force = true", "force can only be given on the command line"},
		{"config in config", "config = \"x\"", "config can only be given on the command line"},
		{"number for a string", "url = 8080", "must be a string in quotes, not an integer"},
		{"string for a number", "concurrency = \"4\"", "must be a whole number without quotes, not a string"},
		{"string for a switch", "raw = \"true\"", "must be true or false without quotes, not a string"},
		{"array for a duration", "timeout = [5]", `must be a duration ("60s") or a number of seconds, not an array`},
		{"date for a duration", "timeout = 2026-01-01", "not a date or time"},
		{"float for a size", "max-bytes = 1.5", `must be a size ("16MiB") or a number of bytes, not a float`},
		{"numbers in a list", "header = [1]", "must be an array of strings, and holds an integer"},
		{"bad value", "timeout = \"-5s\"", "timeout: \"-5s\" is negative"},
		{"infinite float", "timeout = inf", "is no duration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := resolved(t, nil, nil, c.toml)
			if err == nil {
				t.Fatal("it is accepted")
			}
			wantText(t, "the error", err.Error(), got.Config, c.says)
			if code := exit.Of(err); code != exit.Config {
				t.Errorf("the exit code is %d, want %d", code, exit.Config)
			}
		})
	}
}

func TestConfigurationFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.toml")
	if err := os.WriteFile(big, []byte(strings.Repeat("#", maxConfigFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "absent.toml"), dir, big} {
		w := newWorld(t)
		r := w.do("run", "--config", path).wantCode(t, exit.Config)
		wantText(t, "standard error", r.stderr, path)
	}
}

// Syntax errors must not quote the file: it may hold a secret.
func TestAConfigurationErrorHoldsNoSecret(t *testing.T) {
	for _, text := range []string{
		"header = hunter", "header = truehunter", "hunter", "header = [\"x\" hunter]", "header = 'hunter", "header = \"hunter\\q\"",
		"header = \"x\" hunter", "header = 2026-13-45hunter", "header = [\"Authorization: hunter\"\nurl = hunter",
	} {
		_, err := resolved(t, nil, nil, text)
		if err == nil {
			t.Fatalf("%q is accepted", text)
		}
		wantNoText(t, "the error", err.Error(), "hunter")
	}
}

func TestSettingsThatDoNotFitTogether(t *testing.T) {
	w := newWorld(t)
	w.do("run", "--cert-file", "x.pem").wantCode(t, exit.Usage)
	w.env.Environ = []string{"SPOOLFWD_KEY_FILE=x.pem"}
	r := w.do("run").wantCode(t, exit.Config)
	wantText(t, "standard error", r.stderr, "--cert-file and --key-file need each other")
	w.env.Environ = nil
	w.do("status", "--warning-age", "2h", "--critical-age", "1h").wantCode(t, exit.Usage)
	w.do("status", "--warning-age", "2h").wantCode(t, exit.OK)
}

// The breaker's files must not lie among payload files, by whatever way they got
// there.
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

func TestTheTokenFallsBackOnTheSystemdCredential(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, tokenCredential)
	environ := []string{"CREDENTIALS_DIRECTORY=" + dir}
	if c, err := resolved(t, nil, environ, ""); err != nil || c.TokenFile != "" {
		t.Errorf("without the credential the token file is %q, %v", c.TokenFile, err)
	}
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := resolved(t, nil, environ, "")
	if err != nil || c.TokenFile != path || c.from["token-file"].where != "systemd credential" {
		t.Errorf("got %q from %q, %v", c.TokenFile, c.from["token-file"].where, err)
	}
	c, err = resolved(t, map[string][]string{"token-file": {"/own"}}, environ, "")
	if err != nil || c.TokenFile != "/own" {
		t.Errorf("the flag does not win: %q, %v", c.TokenFile, err)
	}
}
