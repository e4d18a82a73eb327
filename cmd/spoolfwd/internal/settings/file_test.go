package settings

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

func TestEveryKindOfTOMLValueIsAccepted(t *testing.T) {
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
	if c.Listener.Timeout != 7*time.Second || c.Listener.ConnectTimeout != 1500*time.Millisecond || c.Breaker.RetryTimeout != 2*time.Minute ||
		c.Spool.MaxFileSize != 1<<20 || c.Drain.MaxBytes != 1024 || c.Breaker.RetryJitter != 2.5 || !c.Spool.Raw ||
		!slices.Equal(c.Listener.OnStatus, []string{"404=reject"}) || !slices.Equal(c.Listener.Headers, []string{"X: y"}) {
		t.Errorf("got %+v", c.Values)
	}
}

func TestAFileFromAWindowsEditorIsAccepted(t *testing.T) {
	c, err := resolved(t, nil, nil, "\ufeffraw = true\r\ntimeout = 7\r\n")
	if err != nil || !c.Spool.Raw || c.Listener.Timeout != 7*time.Second {
		t.Errorf("got %+v, %v", c.Values, err)
	}
}

func TestWrongConfigurationFiles(t *testing.T) {
	for _, c := range []struct{ name, toml, says string }{
		{"no TOML", "url =", "line 1"},
		{"text without quotes", "url = http://x/", "line 1: url must be a string in quotes"},
		{"a table under a value", "[raw]\n[raw.x]\n[raw]\n", "line 3: table raw already exists"},
		{"a number that is too large", "timeout = 1e999", `line 1: timeout must be a duration ("60s") or a number of seconds`},
		{"key twice", "raw = true\nraw = true", "line 2"},
		{"unknown key", "frobnicate = 1", `unknown key "frobnicate"`},
		{"underscores", "state_dir = \"/x\"", `did you mean "state-dir"?`},
		{"table", "[run]\nurl = \"http://x/\"", "[run] is a section, and this file has none"},
		{"table for a value", "[url]\nx = 1", "[url] is a section, and this file has none"},
		{"tables for an array", "[[header]]\nx = 1", "[header] is a section, and this file has none"},
		{"an end of line within quotes", "url = \"http://x/\nraw = true", "line 1: url must be a string in quotes"},
		{"quotes of a word processor", "url = \u201chttp://x/\u201d", "line 1: url must be a string in quotes"},
		{"Python's truth", "raw = True", "line 1: raw must be true or false without quotes"},
		{"flag only", "force = true", "force can only be given on the command line"},
		{"config in config", "config = \"x\"", "config can only be given on the command line"},
		{"number for a string", "url = 8080", "must be a string in quotes, not an integer"},
		{"string for a number", "max-attempts = \"4\"", "must be an integer without quotes, not a string"},
		{"float for a number or auto", "concurrency = 1.5", `must be an integer without quotes, or "auto", not a float`},
		{"another word than auto", "concurrency = \"many\"", `concurrency: "many" is neither an integer nor auto`},
		{"string for a switch", "raw = \"true\"", "must be true or false without quotes, not a string"},
		{"array for a duration", "timeout = [5]", `must be a duration ("60s") or a number of seconds, not an array`},
		{"date for a duration", "timeout = 2026-01-01", "not a date or time"},
		{"float for a size", "max-bytes = 1.5", `must be a size ("16MiB") or a number of bytes, not a float`},
		{"numbers in a list", "header = [1]", "must be an array of strings, and holds an integer"},
		{"bad value", "timeout = \"-5s\"", `timeout: must be more than 0, not "-5s"`},
		{"infinite float", "timeout = inf", "invalid duration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := resolved(t, nil, nil, c.toml)
			if err == nil {
				t.Fatal("it is accepted")
			}
			if text := err.Error(); !strings.Contains(text, got.Config) || !strings.Contains(text, c.says) {
				t.Errorf("it says %q, want %s and %q", text, got.Config, c.says)
			}
			if code := exit.Of(err); code != exit.Config {
				t.Errorf("the exit code is %d, want %d", code, exit.Config)
			}
		})
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
		if strings.Contains(err.Error(), "hunter") {
			t.Errorf("the error of %q shows what may be a secret: %v", text, err)
		}
	}
}

// FuzzConfiguration reads arbitrary bytes as a configuration file: either every problem has a code
// and a sentence, or every value is one that a run can use.
func FuzzConfiguration(f *testing.F) {
	f.Add([]byte("url = \"http://localhost/\"\nretry-timeout = 60\nheader = [\"A: b\"]\n"))
	f.Add([]byte("retry-timeout = \"1m30s\"\nmax-file-size = \"16MiB\"\nraw = true\n"))
	f.Add([]byte("retry-timout = 1\n[table]\nurl = 1\n"))
	f.Add([]byte("url = \"http://user:secret@host/?token=secret\"\n"))
	f.Add([]byte("concurrency = -1\nfailure-threshold = 0\n"))
	f.Add([]byte("= \x00"))
	dir, err := os.MkdirTemp("/dev/shm", "spoolfwd-fuzz-") // in memory: thousands of times a second
	if err != nil {
		dir = f.TempDir()
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "spoolfwd.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c := New()
		err := c.Resolve(nil, path)
		if err != nil {
			if code := exit.Of(err); code != exit.Config && code != exit.Usage {
				t.Errorf("a bad configuration ends with %d: %v", code, err)
			}
			return
		}
		if c.Listener.Timeout <= 0 || c.Breaker.RetryTimeout <= 0 || c.Breaker.FailureThreshold <= 0 || c.Drain.Concurrency < 0 || c.Drain.MaxConcurrency <= 0 || c.Spool.MaxFileSize <= 0 {
			t.Errorf("a configuration without a problem has unusable values: %+v", c.Values)
		}
	})
}
