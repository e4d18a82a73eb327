package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/settings"
)

// The tables of this program, and what people read about them, must say the same.

const (
	manSpoolfwd     = "../../contrib/man/spoolfwd.8"
	manConfig       = "../../contrib/man/spoolfwd.toml.5"
	manFakelistener = "../../contrib/man/fakelistener.1"
	readme          = "../../README.md"
)

func readDoc(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section returns what stands between a heading and the next of its kind.
func section(t *testing.T, path, heading, next string) string {
	t.Helper()
	_, text, found := strings.Cut(readDoc(t, path), heading+"\n")
	if !found {
		t.Fatalf("%s has no %s", path, heading)
	}
	if i := strings.Index(text, "\n"+next); i >= 0 {
		text = text[:i+1]
	}
	return text
}

// matches returns the first group of every match.
func matches(pattern, text string) []string {
	var all []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// wantSame compares two sets.
func wantSame(t *testing.T, where string, got, want []string) {
	t.Helper()
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("%s has %s, the program has not", where, g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s lacks %s", where, w)
		}
	}
	if n := len(got); n != len(slices.Compact(slices.Sorted(slices.Values(got)))) {
		t.Errorf("%s has something twice: %q", where, got)
	}
}

func TestTheManualHasTheFlagsOfTheProgram(t *testing.T) {
	text := section(t, manSpoolfwd, ".Sh FLAGS", ".Sh ")
	entries := regexp.MustCompile(`(?m)^\.It Fl `).Split(text, -1)[1:]
	said := map[string]string{}
	var got []string
	for _, e := range entries {
		heading, body, _ := strings.Cut(e, "\n")
		// As mdoc's macros print it.
		heading = strings.NewReplacer(" Ar ", " ", " Cm ", " ", " Ns = Ns Ar ", "=", " | ", "|", " , -", ", --").Replace("-" + heading)
		heading = strings.Replace(heading, " Ns = Ns ", "=", 1)
		got = append(got, heading)
		said[heading] = body
	}
	var want []string
	for _, s := range settings.New().Table {
		heading := s.Heading()
		want = append(want, heading)
		if s.Default() != "" && !hasDefaultText(said[heading], s.Default()) {
			t.Errorf("%s does not say that the default of %s is %s", manSpoolfwd, heading, s.Default())
		}
		if s.Default() == "" && strings.Contains(said[heading], "default is\n") {
			t.Errorf("%s says that %s has a default", manSpoolfwd, heading)
		}
	}
	wantSame(t, manSpoolfwd, got, want)
}

// hasDefaultText looks for "the default is" and then the value.
func hasDefaultText(text, value string) bool {
	return regexp.MustCompile(`(?i)the default is\n\.(Ql|Pa) ` + regexp.QuoteMeta(value) + ` \.\n`).MatchString(text)
}

func TestTheManualHasTheCommandsOfTheProgram(t *testing.T) {
	want := []string{"help"}
	eachCommand(commands(), nil, func(words []string, c command) {
		if c.action != nil {
			want = append(want, strings.Join(words, " "))
		}
	})
	wantSame(t, "its list of commands", matches(`(?m)^\.It Cm ([a-z ]+?)(?: (?:Op )?Ar.*)?$`, section(t, manSpoolfwd, ".Ss Commands", ".Ss ")), want)
	wantSame(t, "its synopsis", matches(`(?m)^\.Cm (.*)$`, section(t, manSpoolfwd, ".Sh SYNOPSIS", ".Sh ")), want)
}

func TestTheManualHasTheKeysOfTheConfigurationFile(t *testing.T) {
	text := section(t, manConfig, ".Sh KEYS", ".Sh ")
	var want []string
	for _, s := range settings.New().Table {
		if !s.InFile() {
			continue
		}
		heading := s.Name + " Pq " + s.Kind()
		want = append(want, heading)
		_, body, _ := strings.Cut(text, ".It Ic "+heading+"\n")
		// Keys that share their words stand one below the other.
		for strings.HasPrefix(body, ".It ") {
			_, body, _ = strings.Cut(body, "\n")
		}
		body, _, _ = strings.Cut(body, "\n.It ")
		if s.Default() != "" && !hasDefaultText(body+"\n", s.Default()) {
			t.Errorf("%s does not say that the default of %s is %s", manConfig, s.Name, s.Default())
		}
	}
	wantSame(t, manConfig, matches(`(?m)^\.It Ic (.*)$`, text), want)
}

func TestTheManualHasTheEnvironmentVariablesOfTheProgram(t *testing.T) {
	text := section(t, manSpoolfwd, ".Sh ENVIRONMENT", ".Sh ")
	var variables []string
	var flagsOnly []string
	for _, s := range settings.New().Table {
		if s.Variable() != "" {
			variables = append(variables, s.Variable())
		} else {
			flagsOnly = append(flagsOnly, s.Name)
		}
	}
	wantSame(t, manSpoolfwd, matches(`(?m)^\.It Ev (SPOOLFWD_\w+)$`, text), variables)
	wantSame(t, "its list of what is a flag only", matches(`(?m)^\.Fl -([a-z-]+)`, text), flagsOnly)
	for _, doc := range []string{readme, manConfig, manFakelistener} {
		for _, v := range matches(`\b(SPOOLFWD_\w+)`, readDoc(t, doc)) {
			if !slices.Contains(variables, v) && v != "SPOOLFWD_SOME_NAME" {
				t.Errorf("%s names the variable %s, which the program does not read", doc, v)
			}
		}
	}
}

func TestREADMEAndManualHaveTheExitCodesOfTheProgram(t *testing.T) {
	var rows, items []string
	for _, e := range exit.Meanings() {
		rows = append(rows, fmt.Sprintf("| %d | `%s` | %s |", e.Code, e.Name, e.Text))
		items = append(items, fmt.Sprintf("%d Pq Dv %s", e.Code, e.Name))
	}
	wantSame(t, "README's table of exit codes", matches(`(?m)^(\| \d.*\|)$`, section(t, readme, "## Exit codes", "## ")), rows)
	text := section(t, manSpoolfwd, ".Sh EXIT STATUS", ".Sh ")
	wantSame(t, manSpoolfwd, matches(`(?m)^\.It (.*)$`, text), items)
	// The words may have macros in them, and begin with a capital letter.
	flat := strings.ToLower(regexp.MustCompile(`\n(\.Cm )?`).ReplaceAllString(text, " "))
	for _, e := range exit.Meanings() {
		if e.Code < 128 && !strings.Contains(strings.ReplaceAll(flat, " :", ":"), strings.ToLower(e.Text)) {
			t.Errorf("%s does not say of %d: %s", manSpoolfwd, e.Code, e.Text)
		}
	}
}
