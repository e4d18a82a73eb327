package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// Source says where a value came from, in words that a user can act on.
type Source struct {
	Where string // "--url", "SPOOLFWD_URL", "/etc/spoolfwd.toml", "systemd credential"; "" is the default
	Flag  bool
}

func (s Source) String() string {
	if s.Where == "" {
		return "default"
	}
	return s.Where
}

// wrong gives a problem its exit code: the command line's fault or the configuration's.
func (s Source) wrong(err error) error {
	if s.Flag {
		return exit.With(exit.Usage, err)
	}
	return exit.With(exit.Config, err)
}

// tokenCredential is the name of the systemd credential that holds the bearer token when
// --token-file does not say otherwise.
const tokenCredential = "spoolfwd.token"

// Resolve gives every setting its value. The flag comes before the environment, the environment
// before the configuration file, and the file before the default. environ is as os.Environ; of
// equal names the last one counts. installed is the configuration file that is read when it exists
// and no other is named. The error joins every problem, each with its exit code.
func (s *Settings) Resolve(environ []string, installed string) error {
	variables := variablesOf(environ)
	s.Config = s.configFile(variables, installed)
	file, err := s.readFile(s.Config)
	problems := []error{err}
	for _, t := range s.Table {
		var texts []string
		if texts, t.source = s.choose(t, variables, file); texts == nil {
			continue
		}
		for _, err := range exit.Each(t.set(texts)) {
			problems = append(problems, t.source.wrong(fmt.Errorf("%s: %w", t.place(), err)))
		}
	}
	if directory := variables["CREDENTIALS_DIRECTORY"]; directory != "" {
		s.findToken(filepath.Join(directory, tokenCredential))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	return s.checkTogether()
}

// variablesOf returns the variables that concern the settings. One that is set to nothing counts as
// unset: that is how unit files and container definitions blank a variable out.
func variablesOf(environ []string) map[string]string {
	variables := make(map[string]string)
	for _, entry := range environ {
		if strings.HasPrefix(entry, "SPOOLFWD_") || strings.HasPrefix(entry, "CREDENTIALS_DIRECTORY=") {
			name, text, _ := strings.Cut(entry, "=")
			variables[name] = text
		}
	}
	return variables
}

// configFile returns the file to read, or "". It is looked for first, since the file cannot name
// another. The one that the package installs is read without being named: whoever forgets to name
// it in the middle of an incident would otherwise send the payloads to the default listener. An
// installed file that cannot be read is an error for the same reason.
func (s *Settings) configFile(variables map[string]string, installed string) string {
	if texts := s.given["config"]; texts != nil {
		return texts[len(texts)-1]
	}
	if path := variables["SPOOLFWD_CONFIG"]; path != "" || installed == "" {
		return path
	}
	if _, err := os.Stat(installed); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return installed
}

// choose returns the texts of the first layer that sets t, and that layer. Without texts the
// default stands.
func (s *Settings) choose(t *Setting, variables map[string]string, file map[string][]string) ([]string, Source) {
	if texts, ok := s.given[t.Name]; ok {
		return texts, Source{"--" + t.Name, true}
	}
	if len(variables) > 0 {
		if texts := t.split(variables[t.Variable()]); texts != nil {
			return texts, Source{t.Variable(), false}
		}
	}
	if texts, ok := file[t.Name]; ok {
		return texts, Source{s.Config, false}
	}
	return nil, Source{}
}

// split divides the text of a variable. Lists stand one to a line: no other separator is safe in a
// header.
func (t *Setting) split(text string) []string {
	lines := []string{text}
	if t.isList() {
		lines = strings.Split(text, "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	if len(lines) == 0 {
		return nil
	}
	return lines
}

// place says where the value stands: the flag, the variable, or the file and the key.
func (t *Setting) place() string {
	if where := t.source.Where; where == "--"+t.Name || where == t.Variable() {
		return where
	}
	return t.source.Where + ": " + t.Name
}

// FindStoredToken lets root use the token of the packaged unit, which systemd takes from the first
// of these directories that has it (systemd.exec(5), LoadCredential=). Only root can read it there.
// The unit of the configuration NAME.toml has a token of its own.
func (s *Settings) FindStoredToken(stores []string) {
	credential := tokenCredential
	if instance := strings.TrimSuffix(filepath.Base(s.Config), ".toml"); s.Config != "" && instance != "spoolfwd" {
		credential = "spoolfwd." + instance + ".token"
	}
	for _, store := range stores {
		s.findToken(filepath.Join(store, credential))
	}
}

// findToken falls back on a systemd credential if it exists.
func (s *Settings) findToken(path string) {
	if s.Listener.TokenFile != "" || s.Listener.TokenCommand != "" || s.CredsFile != "" || stream.HasUser(s.Listener.URL) {
		return
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		s.Listener.TokenFile = path
		s.find("token-file").source = Source{"systemd credential", false}
	}
}
