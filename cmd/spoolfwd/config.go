package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool"
)

// config is every setting with its value and where the value came from.
type config struct {
	values
	table []setting
	from  map[string]origin
}

// origin says where a value came from, in words a user can act on.
type origin struct {
	where string // "default", "--url", "SPOOLFWD_URL", "/etc/spoolfwd.toml", "systemd credential"
	code  exit.Code
}

// tokenCredential is the name of the systemd credential that holds the bearer
// token when --token-file does not say otherwise.
const tokenCredential = "spoolfwd.token"

func newConfig() *config {
	c := &config{}
	c.table = settings(&c.values)
	c.from = make(map[string]origin, len(c.table))
	return c
}

// resolve fills in every value: flag before environment before configuration
// file before default. given holds the flags as written, by setting name. It
// reports every problem, not the first, each as a failure whose code says
// whether the command line or the configuration is wrong.
func (c *config) resolve(given map[string][]string, env Env) error {
	var problems []error
	file := map[string][]string{}
	if path := c.configFile(given, env); path != "" {
		var err error
		file, err = c.readFile(path)
		problems = append(problems, err)
	}
	vars := env.withPrefix("SPOOLFWD_")
	for i := range c.table {
		s := &c.table[i]
		texts, from := s.choose(given, vars, file, c.Config)
		c.from[s.name] = from
		if texts == nil {
			continue
		}
		if err := s.parse(texts); err != nil {
			problems = append(problems, s.problem(from, err))
		}
	}
	c.findToken(env)
	if errors.Join(problems...) == nil {
		problems = append(problems, c.checkTogether()...)
	}
	return errors.Join(problems...)
}

// configFile returns the file to read. It is looked for first, by itself: the
// file cannot name another. The one that the package installs is read without
// being named, because whoever forgets to name it in the middle of an incident
// would send the payloads to the default listener. One that is there and cannot
// be read is an error for the same reason.
func (c *config) configFile(given map[string][]string, env Env) string {
	if texts := given["config"]; len(texts) > 0 {
		c.Config = texts[len(texts)-1]
	} else if c.Config = env.getenv("SPOOLFWD_CONFIG"); c.Config == "" && env.ConfigFile != "" {
		if _, err := os.Stat(env.ConfigFile); !errors.Is(err, fs.ErrNotExist) {
			c.Config = env.ConfigFile
		}
	}
	return c.Config
}

// choose returns the texts of the first layer that sets s, and that layer.
func (s *setting) choose(given map[string][]string, vars map[string]string, file map[string][]string, path string) ([]string, origin) {
	if texts, ok := given[s.name]; ok {
		return texts, origin{"--" + s.name, exit.Usage}
	}
	if len(vars) > 0 { // else there is no need to make up the name
		name := s.env()
		if texts := s.split(vars[name]); len(texts) > 0 && texts[0] != "" {
			return texts, origin{name, exit.Config}
		}
	}
	if texts, ok := file[s.name]; ok {
		return texts, origin{path, exit.Config}
	}
	if s.def != "" {
		return []string{s.def}, origin{"default", exit.Config}
	}
	return nil, origin{"default", exit.Config}
}

// split divides the text of an environment variable. Lists stand one to a line:
// no other separator is safe in a header.
func (s setting) split(text string) []string {
	if !s.isList() {
		return []string{text}
	}
	var texts []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			texts = append(texts, line)
		}
	}
	return texts
}

// problem words what is wrong with the setting's value.
func (s setting) problem(from origin, err error) error {
	where := from.where
	if where != "--"+s.name && where != s.env() {
		where += ": " + s.name
	}
	var all []error
	for _, e := range exit.Each(err) {
		all = append(all, exit.With(from.code, fmt.Errorf("%s: %w", where, e)))
	}
	return errors.Join(all...)
}

// findToken falls back on the systemd credential, see systemd.exec(5),
// LoadCredential=.
func (c *config) findToken(env Env) {
	dir := env.getenv("CREDENTIALS_DIRECTORY")
	if c.TokenFile != "" || dir == "" {
		return
	}
	path := filepath.Join(dir, tokenCredential)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		c.TokenFile = path
		c.from["token-file"] = origin{"systemd credential", exit.Config}
	}
}

// checkTogether finds values that are right by themselves and wrong together.
func (c *config) checkTogether() []error {
	var problems []error
	wrong := func(text string, names ...string) {
		code := exit.Usage
		for _, n := range names {
			if f := c.from[n]; f.where != "default" && f.code != exit.Usage {
				code = exit.Config
			}
		}
		problems = append(problems, exit.With(code, errors.New(text)))
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		wrong("--cert-file and --key-file need each other", "cert-file", "key-file")
	}
	// The breaker's files among payload files could be sent, rejected, counted or
	// cleaned away with them.
	if sameDirectory(c.StateDir, c.Spool) || sameDirectory(c.StateDir, filepath.Join(c.Spool, spool.RejectedDir)) {
		wrong("--state-dir is also the spool, or its directory of rejected payloads: give it a directory of its own", "state-dir", "spool")
	}
	exceeds := func(warn, crit time.Duration) bool { return crit > 0 && warn > crit }
	if exceeds(c.WarningAge, c.CriticalAge) && c.from["critical-age"].where != "default" && c.from["warning-age"].where != "default" {
		wrong("--warning-age is above --critical-age", "warning-age", "critical-age")
	}
	if exceeds(time.Duration(c.WarningFiles), time.Duration(c.CriticalFiles)) {
		wrong("--warning-files is above --critical-files", "warning-files", "critical-files")
	}
	return problems
}

// sameDirectory compares what paths lead to, or would lead to if it were there.
func sameDirectory(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB)
	}
	a, b = filepath.Clean(a), filepath.Clean(b)
	return a == b || filepath.Base(a) == filepath.Base(b) && sameDirectory(filepath.Dir(a), filepath.Dir(b))
}

// takes returns the setting that a flag of a command sets; name is its long or its
// short one.
func (c *config) takes(command uses, name string) (setting, bool) {
	for i := range c.table {
		if s := &c.table[i]; s.on&command != 0 && name != "" && (s.name == name || s.short == name) {
			return *s, true
		}
	}
	return setting{}, false
}

// find returns the setting of that name.
func (c *config) find(name string) (setting, bool) {
	for _, s := range c.table {
		if s.name == name {
			return s, true
		}
	}
	return setting{}, false
}
