package settings

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

func TestEverySettingInTheTableIsDeclaredOnceAndWhole(t *testing.T) {
	s := New()
	names := map[string]bool{}
	for _, set := range s.Table {
		if names[set.Name] {
			t.Errorf("%s is declared twice", set.Name)
		}
		names[set.Name] = true
		if set.Usage == "" || set.commands == 0 {
			t.Errorf("%s has no usage text or no command", set.Name)
		}
		if set.isSwitch() != (set.Arg() == "") {
			t.Errorf("%s: switches and only they have no name for their value", set.Name)
		}
		if texts := set.texts(); set.Default() != "" {
			if err := set.set(texts); err != nil {
				t.Errorf("the default of %s is refused: %v", set.Name, err)
			}
		}
	}
	if want := New().Values; !reflect.DeepEqual(s.Values, want) {
		t.Errorf("the defaults are not what is read back from their texts:\n%+v\nwant\n%+v", s.Values, want)
	}
}

// A row that was copied and half changed would write into another setting's field.
func TestEverySettingHasAFieldOfItsOwn(t *testing.T) {
	for i, set := range New().Table {
		t.Run(set.Name, func(t *testing.T) {
			s, before := New(), New()
			for _, text := range []string{"true", "false", "7", "whole", "zstd", "array", "json", "PUT", "http://host/", "Name: value", "404=keep", "404"} {
				err := s.Table[i].set([]string{text})
				if err == nil && !slices.Equal(s.Table[i].texts(), before.Table[i].texts()) {
					break
				}
			}
			for j, other := range s.Table {
				if changed := !slices.Equal(other.texts(), before.Table[j].texts()); changed != (i == j) {
					t.Errorf("%s has changed: %v, want %v", other.Name, changed, i == j)
				}
			}
		})
	}
}

// resolved returns what settings come to.
func resolved(t *testing.T, flags []string, environ []string, toml string) (*Settings, error) {
	t.Helper()
	if toml != "" {
		path := filepath.Join(t.TempDir(), "spoolfwd.toml")
		if err := os.WriteFile(path, []byte(toml), 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "--config", path)
	}
	s := New()
	if _, err := s.ReadFlags(Work, flags); err != nil {
		t.Fatal(err)
	}
	return s, s.Resolve(environ, "")
}

func TestFlagBeforeEnvironmentBeforeFileBeforeDefault(t *testing.T) {
	const file = "url = \"http://file/\"\ntimeout = \"3s\"\nconcurrency = 3\nheader = [\"A: 1, 2\", \"B: 3\"]\n"
	environ := []string{"SPOOLFWD_URL=http://environment/", "SPOOLFWD_TIMEOUT=2", "SPOOLFWD_HEADER=C: 4, 5\nD: 6\n"}
	flags := []string{"--url", "http://flag/", "--header", "E: 7, 8"}
	for _, c := range []struct {
		name    string
		flags   []string
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
		{"flag", flags, environ, file, "http://flag/", 2 * time.Second, []string{"E: 7, 8"}, "--url"},
		{"the last of equal variables", nil, []string{"SPOOLFWD_URL=http://first/", "SPOOLFWD_TIMEOUT=9", "SPOOLFWD_URL=http://last/", "SPOOLFWD_TIMEOUT="}, file, "http://last/", 3 * time.Second, []string{"A: 1, 2", "B: 3"}, "SPOOLFWD_URL"},
		{"blank list in the environment", nil, []string{"SPOOLFWD_HEADER= \n"}, file, "http://file/", 3 * time.Second, []string{"A: 1, 2", "B: 3"}, "spoolfwd.toml"},
		{"blank environment", nil, []string{"SPOOLFWD_URL="}, file, "http://file/", 3 * time.Second, []string{"A: 1, 2", "B: 3"}, "spoolfwd.toml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := resolved(t, c.flags, c.environ, c.file)
			if err != nil {
				t.Fatal(err)
			}
			l := got.Listener
			if l.URL != c.url || l.Timeout != c.timeout || !slices.Equal(l.Headers, c.headers) {
				t.Errorf("got %s, %s, %q, want %s, %s, %q", l.URL, l.Timeout, l.Headers, c.url, c.timeout, c.headers)
			}
			if from := got.find("url").source.String(); !strings.HasSuffix(from, c.from) {
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
	s, err := resolved(t, nil, []string{"SPOOLFWD_CONFIG=" + path}, "")
	if err != nil || s.Breaker.Name != "other" {
		t.Errorf("got name %q, %v, want other", s.Breaker.Name, err)
	}
}

func TestTheTokenFallsBackOnTheSystemdCredential(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, tokenCredential)
	environ := []string{"CREDENTIALS_DIRECTORY=" + dir}
	if s, err := resolved(t, nil, environ, ""); err != nil || s.Listener.TokenFile != "" {
		t.Errorf("without the credential the token file is %q, %v", s.Listener.TokenFile, err)
	}
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := resolved(t, nil, environ, "")
	if from := s.find("token-file").source.Where; err != nil || s.Listener.TokenFile != path || from != "systemd credential" {
		t.Errorf("got %q from %q, %v", s.Listener.TokenFile, from, err)
	}
	s, err = resolved(t, []string{"--token-file", "/own"}, environ, "")
	if err != nil || s.Listener.TokenFile != "/own" {
		t.Errorf("the flag does not win: %q, %v", s.Listener.TokenFile, err)
	}
	for _, own := range [][]string{{"--url", "nats://a/S", "--creds-file", "/own"}, {"--url", "nats://me:word@a/S"}} {
		s, err = resolved(t, own, environ, "")
		if err != nil || s.Listener.TokenFile != "" {
			t.Errorf("credentials of NATS do not win: %q, %v", s.Listener.TokenFile, err)
		}
	}
}

// The exit code says whether the command line or the configuration has to be corrected.
func TestValuesThatAreWrongTogetherAreRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		flags   []string
		environ []string
		says    string // "": it is right
		code    exit.Code
	}{
		{"a certificate without its key", []string{"--cert-file", "x"}, nil, "--cert-file and --key-file need each other", exit.Usage},
		{"a key without its certificate", nil, []string{"SPOOLFWD_KEY_FILE=x"}, "--cert-file and --key-file need each other", exit.Config},
		{"batches of bytes", []string{"--raw", "--batch-items", "2"}, nil, "--raw and --batch-items do not go together", exit.Usage},
		{"batches of bytes, partly configured", []string{"--raw"}, []string{"SPOOLFWD_BATCH_ITEMS=2"}, "--raw and --batch-items do not go together", exit.Config},
		{"bytes, one by one", []string{"--raw", "--batch-items", "1"}, nil, "", exit.OK},
		{"ages the wrong way round", []string{"--warning-age", "2h", "--critical-age", "1h"}, nil, "--warning-age is above --critical-age", exit.Usage},
		{"one age above the other's default", []string{"--warning-age", "2h"}, nil, "", exit.OK},
		{"retry timeouts the wrong way round", []string{"--retry-timeout-max", "59s"}, nil, "--retry-timeout-max is below --retry-timeout", exit.Usage},
		{"files the wrong way round", []string{"--warning-files", "9", "--critical-files", "8"}, nil, "--warning-files is above --critical-files", exit.Usage},
		{"the state in the spool", []string{"--state-dir", "/s", "--spool", "/s/"}, nil, "--state-dir is also the spool", exit.Usage},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := resolved(t, c.flags, c.environ, "")
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("it says %v, want %q", err, c.says)
			}
			if code := exit.Of(err); code != c.code {
				t.Errorf("the exit code is %d, want %d", code, c.code)
			}
		})
	}
}

func TestFlagsAndOperandsMayBeMixed(t *testing.T) {
	for _, c := range []struct {
		name, args string
		operands   string
		given      map[string][]string
	}{
		{"nothing", "", "", nil},
		{"operand first", "a --url U b", "a b", map[string][]string{"url": {"U"}}},
		{"equals sign", "a --url=U b", "a b", map[string][]string{"url": {"U"}}},
		{"one dash", "-url U", "", map[string][]string{"url": {"U"}}},
		{"switches take no value", "-v a --json b", "a b", map[string][]string{"verbose": {"true"}, "json": {"true"}}},
		{"behind a double dash all are operands", "a -- --url U", "a --url U", nil},
		{"a dash is an operand", "- --json", "-", map[string][]string{"json": {"true"}}},
		{"negative numbers are values", "--max-items -5 a", "a", map[string][]string{"max-items": {"-5"}}},
		{"a value with an equals sign", "--header A:b=c", "", map[string][]string{"header": {"A:b=c"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New()
			operands, err := s.ReadFlags(Work, strings.Fields(c.args))
			if err != nil || !slices.Equal(operands, strings.Fields(c.operands)) {
				t.Errorf("the operands are %q, %v, want %q", operands, err, c.operands)
			}
			if !reflect.DeepEqual(s.given, c.given) && len(s.given)+len(c.given) > 0 {
				t.Errorf("the flags are %q, want %q", s.given, c.given)
			}
		})
	}
}

func TestAMisspeltNameIsRecognised(t *testing.T) {
	s := New()
	for word, want := range map[string]string{
		"tiemout": "timeout", "time-out": "timeout", "ulr": "url", "retry_timeout": "retry-timeout", "spol": "spool",
		"max-atempts": "max-attempts", "frobnicate": "", "": "",
	} {
		if got := Nearest(word, s.names((*Setting).InFile)); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
	unknown := s.UnknownVariables([]string{"SPOOLFWD_ULR=x", "SPOOLFWD_URL=x", "SPOOLFWD_FROBNICATE=x", "HOME=/"})
	if want := map[string]string{"SPOOLFWD_ULR": "SPOOLFWD_URL", "SPOOLFWD_FROBNICATE": ""}; !reflect.DeepEqual(unknown, want) {
		t.Errorf("the unknown variables are %q, want %q", unknown, want)
	}
}

func TestHelpIsAnsweredWhateverComesBehindIt(t *testing.T) {
	s := New()
	if _, err := s.ReadFlags(Run, []string{"--help", "--frobnicate"}); err != nil || !s.Help {
		t.Errorf("help is asked for: %v, %v", s.Help, err)
	}
}
